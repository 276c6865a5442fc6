/// What unquoted text means: YAML 1.2's core schema (section 10.3.2), so `no` and `on` are text and `0o17` is a number.
enum PlainScalar {
    static func content(_ text: String) -> LocatedValue.Content {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .scalar("true", .boolean)
        case "false", "False", "FALSE": return .scalar("false", .boolean)
        default: return .scalar(text, kind(text))
        }
    }

    private static func kind(_ text: String) -> LocatedValue.ScalarKind {
        guard let first = text.utf8.first, (0x30...0x39).contains(first) || "+-.".utf8.contains(first) else {
            return .text
        }
        if integer(text) != nil { return .integer }
        let allowed = text.utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }
        return allowed && Double(text) != nil ? .number : .text
    }

    /// Decimal, `0o` octal or `0x` hexadecimal; `nil` for other text and for what does not fit.
    static func integer(_ text: String) -> Int? {
        if text.hasPrefix("0x") { return Int(text.dropFirst(2), radix: 16) }
        if text.hasPrefix("0o") { return Int(text.dropFirst(2), radix: 8) }
        return Int(text)
    }
}
