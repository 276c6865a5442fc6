/// Writes a draft as a person would: two spaces, short lists and maps in one line, long ones below each other.
struct DraftWriter {
    static let width = 110

    /// - Parameter header: comment lines, without `#`, above everything.
    static func text(_ root: [DraftEntry], header: [String]) -> String {
        var writer = DraftWriter()
        for line in header { writer.comment(line, 0) }
        if !header.isEmpty { writer.lines.append("") }
        writer.map(root, 0)
        return writer.lines.joined(separator: "\n") + "\n"
    }

    private var lines: [String] = []

    private mutating func comment(_ text: String, _ indent: Int) {
        let space = String(repeating: " ", count: indent)
        // What a file says comes into comments, but never ends one.
        let safe = String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? " " : $0 }.filter {
                    ![0x2028, 0x2029, 0xFEFF].contains($0.value) && $0.value < 0xFFFE
                }))
        lines.append(safe.isEmpty ? space + "#" : "\(space)# \(safe)")
    }

    private mutating func map(_ entries: [DraftEntry], _ indent: Int) {
        let space = String(repeating: " ", count: indent)
        for entry in entries {
            if entry.hasBlankLineBefore { lines.append("") }
            for line in entry.comments { comment(line, indent) }
            let head = "\(space)\(DraftScalar.written(entry.key, isInFlow: false)):"
            let remark = entry.remark.map { "  # " + shortened($0) } ?? ""
            write(entry.value, after: head, remark, indent)
        }
    }

    private mutating func write(_ value: DraftNode, after head: String, _ remark: String, _ indent: Int) {
        if let text = Self.inOneLine(value, head.count) {
            lines.append("\(head) \(text)\(remark)")
            return
        }
        switch value {
        case .text(let text): block(text, head, remark, indent + 2)
        case .plain(let text): lines.append("\(head) \(text)\(remark)")
        case .map(let inner), .inline(let inner):
            lines.append(head + remark)
            map(inner, indent + 2)
        case .list(let items):
            lines.append(head + remark)
            list(items, indent + 2)
        }
    }

    /// `nil` for what stands in lines of its own.
    private static func inOneLine(_ value: DraftNode, _ taken: Int) -> String? {
        let text = flow(value)
        switch value {
        case .text(let text): return isBlock(text) ? nil : DraftScalar.written(text, isInFlow: false)
        case .plain: return text
        case .map(let entries): return entries.isEmpty ? "{}" : nil
        case .inline: return taken + text.count <= width ? text : nil
        case .list(let items):
            let isSimple = items.count < 2 || items.allSatisfy { if case .inline = $0 { false } else { true } }
            let hasBlocks = items.contains { item in
                switch item {
                case .map: true
                case .text(let text): isBlock(text)
                default: false
                }
            }
            return items.isEmpty || isSimple && !hasBlocks && taken + text.count <= width ? text : nil
        }
    }

    private mutating func list(_ items: [DraftNode], _ indent: Int) {
        let space = String(repeating: " ", count: indent)
        for item in items {
            switch item {
            case .text(let text) where Self.isBlock(text): block(text, space + "-", "", indent + 2)
            case .text(let text): lines.append("\(space)- \(DraftScalar.written(text, isInFlow: false))")
            case .map(let entries) where !entries.isEmpty:
                // Without comments of its own, so the first line is the first key's.
                let start = lines.count
                map(entries, indent + 2)
                lines[start] = space + "- " + lines[start].dropFirst(indent + 2)
            default: lines.append("\(space)- \(Self.flow(item))")
            }
        }
    }

    /// Several lines of text stay several lines.
    private static func isBlock(_ text: String) -> Bool {
        guard text.contains("\n"), !text.hasPrefix(" "), !text.hasPrefix("\n"), !text.hasPrefix("\t") else {
            return false
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.allSatisfy { line in
            // Anything that must be escaped, or spaces that nobody sees, is better seen in quotes.
            !line.hasSuffix(" ")
                && line.unicodeScalars.allSatisfy {
                    (0x20...0x7E).contains($0.value) || (0xA0...0x2027).contains($0.value)
                        || (0x202A...0xD7FF).contains($0.value) || (0x10000...0x10FFFF).contains($0.value)
                }
        } && !text.hasSuffix("\n\n") && !text.allSatisfy { $0 == "\n" }
    }

    private mutating func block(_ text: String, _ head: String, _ remark: String, _ indent: Int) {
        let space = String(repeating: " ", count: indent)
        let endsWithLine = text.hasSuffix("\n")
        lines.append(head + (endsWithLine ? " |" : " |-") + remark)
        let body = endsWithLine ? text.dropLast() : text[...]
        for line in body.split(separator: "\n", omittingEmptySubsequences: false) {
            lines.append(line.isEmpty ? "" : space + line)
        }
    }

    static func flow(_ value: DraftNode) -> String {
        switch value {
        case .text(let text): return DraftScalar.written(text, isInFlow: true)
        case .plain(let text): return text
        case .list(let items): return "[" + items.map(flow).joined(separator: ", ") + "]"
        case .map(let entries), .inline(let entries):
            let fields = entries.map { "\(DraftScalar.written($0.key, isInFlow: true)): \(flow($0.value))" }
            return "{" + fields.joined(separator: ", ") + "}"
        }
    }
}
