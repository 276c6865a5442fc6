/// Writes a tree as YAML in block style, in the order in which it stands; where a value came from may stand behind it.
struct TreeWriter {
    /// What is written behind a value as a comment, without line breaks.
    var remark: (LocatedValue) -> String? = { _ in nil }
    private(set) var text = ""

    mutating func write(_ root: LocatedValue) {
        switch root.content {
        case .mapping(let entries) where !entries.isEmpty: write(entries, indent: 0, isInline: false)
        case .sequence(let items) where !items.isEmpty: write(items, indent: 0)
        default: text += scalar(root) + comment(root) + "\n"
        }
    }

    /// - Parameter isInline: the first key stands behind the `- ` of its item.
    private mutating func write(_ entries: [LocatedValue.Entry], indent: Int, isInline: Bool) {
        for (index, entry) in entries.enumerated() {
            if index > 0 || !isInline { text += Self.spaces(indent) }
            let key = YAMLScalar.key(entry.key)
            // A key before `:` has up to 1024 characters (YAML 1.2, section 7.4.2).
            text += key.utf8.count > 500 ? "? \(key)\n\(Self.spaces(indent)):" : "\(key):"
            write(under: entry.value, indent: indent)
        }
    }

    private mutating func write(_ items: [LocatedValue], indent: Int) {
        for item in items {
            text += Self.spaces(indent) + "-"
            if case .mapping(let entries) = item.content, !entries.isEmpty {
                text += " "
                write(entries, indent: indent + 2, isInline: true)
            } else {
                write(under: item, indent: indent)
            }
        }
    }

    /// What stands behind `key:` or `-`.
    private mutating func write(under value: LocatedValue, indent: Int) {
        switch value.content {
        case .mapping(let entries) where !entries.isEmpty:
            text += comment(value) + "\n"
            write(entries, indent: indent + 2, isInline: false)
        case .sequence(let items) where !items.isEmpty:
            text += comment(value) + "\n"
            write(items, indent: indent + 2)
        default:
            text += " " + scalar(value) + comment(value) + "\n"
        }
    }

    private func scalar(_ value: LocatedValue) -> String {
        switch value.content {
        case .null: "null"
        case .scalar(let text, let kind): YAMLScalar.written(text, kind)
        case .sequence: "[]"
        case .mapping: "{}"
        }
    }

    private func comment(_ value: LocatedValue) -> String {
        guard let remark = remark(value) else { return "" }
        return "  # " + String(remark.map { $0.isNewline || $0 == "\0" ? " " : $0 })
    }

    private static func spaces(_ count: Int) -> String { String(repeating: " ", count: count) }
}
