/// How many columns of a terminal text takes. East Asian wide characters and emoji take two, combining marks none.
///
/// The ranges are those of Unicode's East Asian Width `W` and `F`, joined where only unassigned code points lie between.
package enum DisplayWidth {
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x231A...0x231B, 0x23E9...0x23EC, 0x2614...0x2615, 0x2648...0x2653, 0x26A1...0x26A1,
        0x2705...0x2705, 0x2728...0x2728, 0x274C...0x274C, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF,
        0x4E00...0x9FFF, 0xA000...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF,
        0x20000...0x3FFFD,
    ]

    package static func of(_ text: some StringProtocol) -> Int {
        var width = 0
        for character in text { width += of(character) }
        return width
    }

    package static func of(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        if first.isASCII { return first.value < 0x20 || first.value == 0x7F ? 0 : 1 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: return wide.contains { $0.contains(first.value) } ? 2 : 1
        }
    }

    /// The longest beginning of `text` that fits, with `…` in place of what does not.
    package static func truncated(_ text: String, to limit: Int) -> String {
        guard of(text) > limit else { return text }
        guard limit > 0 else { return "" }
        var result = ""
        var width = 0
        for character in text {
            let next = of(character)
            guard width + next <= limit - 1 else { break }
            result.append(character)
            width += next
        }
        return result + "…"
    }

    /// `text` with spaces behind it up to `width` columns.
    package static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - of(text)))
    }
}

extension StringProtocol {
    /// The text without anything that a terminal would act on: control characters become spaces or `�`.
    var visible: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.map { scalar in
                    switch scalar {
                    case "\t", "\n", "\r": " "
                    case _ where scalar.properties.generalCategory == .control: "\u{FFFD}"
                    default: scalar
                    }
                }))
    }
}
