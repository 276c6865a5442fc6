/// JSON that keeps the order of its keys.
indirect enum SchemaText {
    case text(String)
    case truth(Bool)
    /// A number, or other JSON that is written already.
    case written(String)
    case list([SchemaText])
    case map([(String, SchemaText)])

    static func number(_ value: Double) -> SchemaText {
        .written(value == value.rounded() ? "\(Int(value))" : "\(value)")
    }

    /// Indented by two spaces; lists of texts stand in one line.
    func rendered(_ indent: Int = 0) -> String {
        let outer = String(repeating: "  ", count: indent)
        let inner = outer + "  "
        switch self {
        case .text(let text): return Self.quoted(text)
        case .truth(let value): return value ? "true" : "false"
        case .written(let text): return text
        case .list(let items):
            let isFlat = items.allSatisfy { if case .map = $0 { false } else { true } }
            if isFlat { return "[" + items.map { $0.rendered(indent) }.joined(separator: ", ") + "]" }
            return "[\n" + items.map { inner + $0.rendered(indent + 1) }.joined(separator: ",\n") + "\n\(outer)]"
        case .map(let entries):
            guard !entries.isEmpty else { return "{}" }
            let lines = entries.map { "\(inner)\(Self.quoted($0.0)): \($0.1.rendered(indent + 1))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(outer)}"
        }
    }

    /// RFC 8259, section 7.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
