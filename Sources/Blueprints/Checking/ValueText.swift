/// Values that are written as text with a grammar of their own.
enum ValueText {
    /// `90s`, `1h30m`, `7d`, `250ms`: seconds; `nil` for other text.
    static func duration(_ text: String) -> Double? {
        let units: [String: Double] = ["ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
        guard !text.isEmpty, text.utf8.count <= 32 else { return nil }
        var rest = text[...]
        var seconds = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let number = Double(digits), let factor = units[String(unit)] else { return nil }
            seconds += number * factor
        }
        return seconds.isFinite ? seconds : nil
    }

    /// A signal by name or number, as `SIGTERM`; `nil` for what is none that asks a program to end.
    static func signal(_ text: String) -> String? {
        let numbers = [
            "HUP": 1, "INT": 2, "QUIT": 3, "ABRT": 6, "KILL": 9, "USR1": 10, "USR2": 12, "PIPE": 13, "ALRM": 14,
            "TERM": 15, "WINCH": 28,
        ]
        if let number = Int(text) { return numbers.first { $0.value == number }.map { "SIG" + $0.key } }
        let upper = text.uppercased()
        let name = upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
        return numbers[name] == nil ? nil : "SIG" + name
    }

    /// Five fields of a crontab (minute, hour, day, month, weekday), or `@daily` and the like.
    static func isCron(_ text: String) -> Bool {
        if ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"].contains(text) {
            return true
        }
        let fields = text.split(separator: " ", omittingEmptySubsequences: true)
        let ranges = [0...59, 0...23, 1...31, 1...12, 0...7]
        guard fields.count == ranges.count else { return false }
        return zip(fields, ranges).enumerated().allSatisfy { index, pair in
            let names = index == 3 ? monthNames : index == 4 ? weekdayNames : []
            return pair.0.split(separator: ",", omittingEmptySubsequences: false).allSatisfy {
                isCronPart($0, pair.1, names)
            }
        }
    }

    private static let monthNames = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let weekdayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    private static func isCronPart(_ part: Substring, _ range: ClosedRange<Int>, _ names: [String]) -> Bool {
        let steps = part.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(steps.count) else { return false }
        if steps.count == 2 {
            guard let step = Int(steps[1]), (1...range.upperBound).contains(step) else { return false }
        }
        if steps[0] == "*" { return true }
        let bounds = steps[0].split(separator: "-", omittingEmptySubsequences: false).map { bound in
            Int(bound) ?? names.firstIndex(of: bound.lowercased()).map { $0 + range.lowerBound }
        }
        guard (1...2).contains(bounds.count), bounds.allSatisfy({ $0.map(range.contains) ?? false }) else {
            return false
        }
        let numbers = bounds.compactMap { $0 }
        return numbers == numbers.sorted()
    }
}
