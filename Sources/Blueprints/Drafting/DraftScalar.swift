/// Text as YAML: plain where that reads back as the same text, else in quotes.
enum DraftScalar {
    /// - Parameter isInFlow: inside of `[…]` or `{…}`.
    static func written(_ text: String, isInFlow: Bool) -> String {
        if isPlain(text, isInFlow: isInFlow) { return text }
        if text.unicodeScalars.contains(where: mustBeEscaped) { return escaped(text) }
        let isQuiet = !text.contains("\"") && !text.contains("\\")
        return isQuiet ? "\"\(text)\"" : "'" + text.replacing("'", with: "''") + "'"
    }

    static func isPlain(_ text: String, isInFlow: Bool) -> Bool {
        guard case .scalar(let read, .text) = PlainScalar.content(text), read == text else { return false }
        let bytes = Array(text.utf8)
        guard let first = bytes.first, let last = bytes.last, !aloneMeansMore.contains(text.lowercased()) else {
            return false
        }
        guard first != 0x20, last != 0x20, last != 0x3A else { return false }
        let second = bytes.count > 1 ? bytes[1] : 0x20
        // `-x` is text, `- x` is a list.
        let isDash = first == 0x2D && second != 0x20 && !text.hasPrefix("---")
        guard !"-?:,[]{}#&*!|>'\"%@`".utf8.contains(first) || isDash else { return false }
        if text.hasPrefix("...") || text.unicodeScalars.contains(where: mustBeEscaped) { return false }
        for index in bytes.indices.dropLast() {
            if bytes[index] == 0x3A, bytes[index + 1] == 0x20 { return false }
            if bytes[index] == 0x20, bytes[index + 1] == 0x23 { return false }
        }
        return !isInFlow || !bytes.contains { ",[]{}:".utf8.contains($0) } || isAddressInFlow(bytes)
    }

    /// In flow style a `:` is text where no space or bracket follows it; the other signs never are.
    private static func isAddressInFlow(_ bytes: [UInt8]) -> Bool { !bytes.contains { ",[]{}".utf8.contains($0) } }

    /// What other readers of YAML, or people, take for a truth value or nothing.
    private static let aloneMeansMore: Set<String> = ["yes", "no", "on", "off", "y", "n", "<<", "=", ".nan", ".inf"]

    private static func mustBeEscaped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E, 0xA0...0x2027, 0x202A...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10FFFF: false
        default: true
        }
    }

    private static func escaped(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where mustBeEscaped(scalar):
                let digits = String(scalar.value, radix: 16, uppercase: true)
                let width = scalar.value <= 0xFF ? 2 : scalar.value <= 0xFFFF ? 4 : 8
                result += width == 2 ? "\\x" : width == 4 ? "\\u" : "\\U"
                result += String(repeating: "0", count: width - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
