/// Writes text so that reading it again gives the same text and kind.
enum YAMLScalar {
    /// Plain where nothing in it means anything to YAML, else in double quotes.
    static func written(_ text: String, _ kind: LocatedValue.ScalarKind) -> String {
        if PlainScalar.content(text) == .scalar(text, kind), isPlain(text) { return text }
        return quoted(text)
    }

    /// A key is text whatever it looks like.
    static func key(_ text: String) -> String { isPlain(text) ? text : quoted(text) }

    /// Fewer texts than YAML allows: begins with a letter, digit or one of `_./$+-`, and goes on with what is not white
    /// space, `#` or a quote; single spaces may stand between words, `:` not before one.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last, text.utf8.count < 500 else { return false }
        guard isWordByte(first) || "./$".utf8.contains(first) || (first == 0x2D || first == 0x2B) && text.utf8.count > 1
        else { return false }
        guard last != 0x3A, last != 0x20, !text.hasPrefix("..."), !text.hasPrefix("---"), !text.hasPrefix("- ") else {
            return false
        }
        var before: UInt8 = 0
        for byte in text.utf8 {
            guard isWordByte(byte) || "./$+-:@%=~^{}()[],;*!?&<>| ".utf8.contains(byte) else { return false }
            if byte == 0x20, before == 0x3A || before == 0x20 { return false }
            before = byte
        }
        return true
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
        default: false
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            default:
                if isShown(scalar) { result.unicodeScalars.append(scalar) } else { result += escaped(scalar) }
            }
        }
        return result + "\""
    }

    /// What every reader of YAML takes as it is, and a person can see.
    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x7F { return scalar.value >= 0x20 }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
            .spacingMark, .decimalNumber, .otherNumber, .dashPunctuation, .initialPunctuation, .finalPunctuation,
            .otherPunctuation, .mathSymbol, .currencySymbol, .otherSymbol:
            return true
        default: return false
        }
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        func padded(_ count: Int) -> String { String(repeating: "0", count: count - digits.count) + digits }
        if scalar.value <= 0xFF { return "\\x" + padded(2) }
        return scalar.value <= 0xFFFF ? "\\u" + padded(4) : "\\U" + padded(8)
    }
}
