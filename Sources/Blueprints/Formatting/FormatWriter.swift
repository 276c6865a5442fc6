/// Writes a layout in the usual form.
struct FormatWriter {
    let text: TextLines
    private var lines: [String] = []

    init(text: TextLines) {
        self.text = text
    }

    mutating func document(_ document: FormatTree.Document) -> String {
        for number in document.head {
            if text.isBlank(number) {
                blank()
            } else if text.isComment(number) {
                lines.append(TextLines.string(TextLines.trimmed(text.line(number))))
            } else {
                lines.append(TextLines.string(TextLines.trimmedRight(text.line(number))))
            }
        }
        let order: GrammarShape? = document.hasAnchors ? nil : .fields(Grammar.root)
        collection(document.root, 0, order)
        while lines.count > 1, lines.last == "", !endsWithText(document.root) { lines.removeLast() }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Whether the last line belongs to a text that may keep its blank lines.
    private func endsWithText(_ node: FormatTree.Node) -> Bool {
        guard node.trailing.isEmpty else { return false }
        switch node.kind {
        case .leaf(let isBlockScalar): return isBlockScalar
        case .mapping(let entries): return entries.contains { endsWithText($0.value) }
        case .sequence(let items): return items.contains { endsWithText($0.value) }
        }
    }

    private mutating func blank() {
        if let last = lines.last, last != "" { lines.append("") }
    }

    private mutating func gap(_ gap: [FormatTree.Gap], _ indent: Int, isFirst: Bool) {
        var dropsBlank = isFirst
        for line in gap {
            switch line {
            case .blank: if !dropsBlank { blank() }
            case .comment(let scalars):
                lines.append(spaces(indent) + TextLines.string(scalars[...]))
                dropsBlank = false
            }
        }
    }

    private func spaces(_ count: Int) -> String { String(repeating: " ", count: count) }

    private mutating func collection(_ node: FormatTree.Node, _ indent: Int, _ shape: GrammarShape?) {
        switch node.kind {
        case .leaf: break
        case .mapping(let entries): mapping(entries, indent, shape, dash: nil)
        case .sequence(let items): sequence(items, indent, shape)
        }
        gap(node.trailing, indent, isFirst: false)
    }

    /// - Parameter dash: what stands before the first key in an item of a list: spaces and `- `; and the item's gap.
    private mutating func mapping(
        _ entries: [FormatTree.Entry], _ indent: Int, _ shape: GrammarShape?,
        dash: (prefix: String, gap: [FormatTree.Gap])?,
        isFirstItem: Bool = false
    ) {
        let map = shape.flatMap { Self.map($0, keys: entries.map(\.key)) }
        let ordered = map.map { Self.ordered(entries, $0) } ?? entries
        for (index, entry) in ordered.enumerated() {
            var prefix = spaces(indent)
            if index == 0, let dash {
                prefix = dash.prefix
                gap(dash.gap + entry.leading, max(indent - 2, 0), isFirst: isFirstItem)
            } else {
                gap(entry.leading, indent, isFirst: index == 0)
            }
            if entry.value.isBlock {
                let head = TextLines.trimmedRight(text.line(entry.line).dropFirst(entry.column))
                lines.append(prefix + TextLines.string(head))
                collection(entry.value, indent + 2, Self.below(entry.key, shape, map))
            } else {
                leaf(
                    from: entry.line, to: max(entry.line, entry.value.lastLine), column: entry.column, entry.value,
                    prefix,
                    indent)
            }
        }
    }

    private mutating func sequence(_ items: [FormatTree.Item], _ indent: Int, _ shape: GrammarShape?) {
        let inner = shape.flatMap(Self.item)
        for (index, item) in items.enumerated() {
            let rest = text.line(item.line).dropFirst(item.column + 1)
            if case .mapping(let entries) = item.value.kind, item.value.firstLine == item.line {
                mapping(
                    entries, indent + 2, inner, dash: (spaces(indent) + "- ", item.leading), isFirstItem: index == 0)
                gap(item.value.trailing, indent + 2, isFirst: false)
                continue
            }
            gap(item.leading, indent, isFirst: index == 0)
            if item.value.isBlock {
                let head = TextLines.trimmed(rest)
                lines.append(spaces(indent) + (head.isEmpty ? "-" : "- " + TextLines.string(head)))
                collection(item.value, indent + 2, inner)
            } else {
                let skipped = rest.prefix { $0 == " " }.count
                let prefix = spaces(indent) + (skipped == rest.count ? "-" : "- ")
                leaf(
                    from: item.line, to: max(item.line, item.value.lastLine), column: item.column, item.value, prefix,
                    indent,
                    first: item.column + 1 + skipped)
            }
        }
    }

    /// The lines of a leaf, moved so that what stood at `column` stands at `indent`.
    private mutating func leaf(
        from first: Int, to last: Int, column: Int, _ value: FormatTree.Node, _ prefix: String, _ indent: Int,
        first start: Int? = nil
    ) {
        let isBlockScalar = { if case .leaf(true) = value.kind { true } else { false } }()
        let head = text.line(first).dropFirst(start ?? column)
        let isWhole = first == last || isBlockScalar
        lines.append(prefix + TextLines.string(isWhole ? TextLines.trimmedRight(head) : head))
        guard first < last else { return }
        for number in (first + 1)...last {
            let line = text.line(number)
            let found = text.indent(number)
            if text.isBlank(number), !isBlockScalar {
                lines.append("")
                continue
            }
            var wanted = max(0, found + indent - column)
            // Text in quotes and brackets goes on deeper than its key.
            if !isBlockScalar { wanted = max(wanted, indent + 2) }
            if isBlockScalar, text.isBlank(number) {
                // Of a line of spaces, only what is deeper than the text is text.
                lines.append(line.isEmpty ? "" : spaces(wanted) + TextLines.string(line.dropFirst(found)))
                continue
            }
            lines.append(spaces(wanted) + TextLines.string(line.dropFirst(found)))
        }
    }

    // MARK: The grammar's order

    private static func ordered(_ entries: [FormatTree.Entry], _ map: GrammarMap) -> [FormatTree.Entry] {
        let places = Dictionary(map.keys.enumerated().map { ($1, $0) }) { first, _ in first }
        return entries.enumerated().sorted { left, right in
            let (mine, theirs) = (places[left.element.key] ?? Int.max, places[right.element.key] ?? Int.max)
            return mine != theirs ? mine < theirs : left.offset < right.offset
        }.map(\.element)
    }

    /// The known keys of a map; `nil` where keys are names.
    private static func map(_ shape: GrammarShape, keys: [String]) -> GrammarMap? {
        switch shape {
        case .fields(let map): return map
        case .oneOf(let all):
            let maps = all.compactMap { map($0, keys: keys) }
            return maps.first { map in keys.allSatisfy(map.keys.contains) } ?? maps.first
        default: return nil
        }
    }

    private static func below(_ key: String, _ shape: GrammarShape?, _ map: GrammarMap?) -> GrammarShape? {
        if let map { return map.field(key)?.shape }
        switch shape {
        case .map(let value): return value
        case .named(let map, _, true): return .fields(map)
        default: return nil
        }
    }

    private static func item(_ shape: GrammarShape) -> GrammarShape? {
        switch shape {
        case .list(let item): return item
        case .named(let map, _, _): return .fields(map)
        case .oneOf(let all): return all.lazy.compactMap(item).first
        default: return nil
        }
    }
}
