/// Lengths of time as they are written: `90s`, `1h30m`, `7d`, `250ms`, or ISO 8601's `PT90M`, `P7D`.
package enum LengthOfTime {
    /// Milliseconds; `nil` for other text. Years and months have no fixed length, so ISO 8601's are not read.
    package static func milliseconds(_ text: String) -> Double? {
        guard !text.isEmpty, text.utf8.count <= 32 else { return nil }
        guard let first = text.first, first == "P" || first == "p" else { return sum(text[...], units) }
        let parts = text.dropFirst().lowercased().split(
            separator: "t", maxSplits: 1, omittingEmptySubsequences: false)
        guard let days = parts.first, !(days.isEmpty && parts.count == 1) else { return nil }
        let daysLength = days.isEmpty ? 0 : sum(days, ["w": units["w", default: 0], "d": units["d", default: 0]])
        guard let daysLength else { return nil }
        guard parts.count == 2 else { return daysLength }
        guard let hours = sum(parts[1], units.filter { ["h", "m", "s"].contains($0.key) }) else { return nil }
        return daysLength + hours
    }

    private static let units: [String: Double] = [
        "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000,
    ]

    private static func sum(_ text: Substring, _ units: [String: Double]) -> Double? {
        var rest = text
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let number = Double(digits), let factor = units[String(unit)] else { return nil }
            total += number * factor
        }
        return text.isEmpty || !total.isFinite ? nil : total
    }

    /// For a person: the two largest units, `30 min`, `1 h 30 min`, `7 d`, `1.5 s`.
    package static func shown(_ milliseconds: Int64) -> String {
        guard milliseconds >= 1000 else { return "\(max(0, milliseconds)) ms" }
        guard milliseconds >= 60_000 else {
            let tenths = milliseconds / 100
            return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
        }
        let names = ["d", "h", "min", "s"]
        let sizes: [Int64] = [86_400_000, 3_600_000, 60_000, 1000]
        let largest = sizes.firstIndex { milliseconds >= $0 } ?? 3
        let whole = milliseconds / sizes[largest]
        var text = "\(whole) \(names[largest])"
        if largest < 3 {
            let rest = milliseconds % sizes[largest] / sizes[largest + 1]
            if rest > 0 { text += " \(rest) \(names[largest + 1])" }
        }
        return text
    }
}
