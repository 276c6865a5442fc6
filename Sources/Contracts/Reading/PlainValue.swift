/// What unquoted text means: YAML 1.2's core schema (section 10.3.2), which JSON's literals are a part of.
enum PlainValue {
    static func content(_ text: String) -> Node.Content {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .scalar("true", .boolean)
        case "false", "False", "FALSE": return .scalar("false", .boolean)
        default: return .scalar(text, double(text) == nil ? .text : .number)
        }
    }

    /// Decimal, `0o` octal or `0x` hexadecimal; no infinities.
    static func double(_ text: String) -> Double? {
        guard let first = text.utf8.first, (0x30...0x39).contains(first) || "+-.".utf8.contains(first) else {
            return nil
        }
        if text.hasPrefix("0x") { return Int(text.dropFirst(2), radix: 16).map { Double($0) } }
        if text.hasPrefix("0o") { return Int(text.dropFirst(2), radix: 8).map { Double($0) } }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }) else { return nil }
        return Double(text).flatMap { $0.isFinite ? $0 : nil }
    }
}
