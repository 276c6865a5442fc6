/// Why a text is no cron expression.
package struct CronProblem: Error, Sendable, Hashable {
    /// For a person: names the field and what is wrong with it.
    package let reason: String
}

extension CronExpression {
    private struct Field {
        let name: String
        let range: ClosedRange<Int>
        var names: [String] = []
    }

    private struct Values {
        var bits: UInt64
        /// Written with `*` at its beginning.
        var isAny: Bool
    }

    private static let fields = [
        Field(name: "minute", range: 0...59), Field(name: "hour", range: 0...23),
        Field(name: "day of the month", range: 1...31),
        Field(
            name: "month", range: 1...12,
            names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
        Field(name: "weekday", range: 0...7, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
    ]

    private static let short = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
    ]

    /// - Throws: ``CronProblem`` where it is none, or where no day ever matches (30 February).
    package init(parsing written: String) throws(CronProblem) {
        let words = written.split { $0 == " " || $0 == "\t" }.map { $0.lowercased() }
        let text = words.joined(separator: " ")
        guard !text.hasPrefix("@") else {
            guard let long = Self.short[text] else {
                let near = NearMiss.nearest(text, among: Self.short.keys)
                throw CronProblem(
                    reason: "`\(shortened(text))` is not known"
                        + (near.map { ", did you mean `\($0)`?" } ?? ", unlike `@daily`"))
            }
            let values = try Self.values(long.split(separator: " ").map(String.init))
            try self.init(text: text, values)
            return
        }
        guard words.count == Self.fields.count else {
            throw CronProblem(reason: "it has \(words.count) fields, not 5: minute hour day month weekday")
        }
        try self.init(text: text, try Self.values(words))
    }

    private init(text: String, _ values: [Values]) throws(CronProblem) {
        self.text = text
        minutes = values[0].bits
        hours = values[1].bits
        days = values[2].bits
        months = values[3].bits
        // 7 is Sunday as 0 is.
        weekdays = (values[4].bits | values[4].bits >> 7) & 0x7F
        eitherDayMatches = !values[2].isAny && !values[4].isAny
        guard !isNever else { throw CronProblem(reason: "it never comes: no such month has such a day") }
    }

    private static func values(_ words: [String]) throws(CronProblem) -> [Values] {
        var values: [Values] = []
        for (word, field) in zip(words, fields) { values.append(try parse(word, field)) }
        return values
    }

    /// In 400 years every date falls on every weekday, so only dates that do not exist never come.
    private var isNever: Bool {
        guard !eitherDayMatches else { return false }
        let first = days.trailingZeroBitCount
        return !(1...12).contains { months & (1 << UInt64($0)) != 0 && first <= CivilDate.mostDays(inMonth: $0) }
    }

    private static func parse(_ word: String, _ field: Field) throws(CronProblem) -> Values {
        var bits: UInt64 = 0
        for part in word.split(separator: ",", omittingEmptySubsequences: false) {
            bits |= try parse(part: part, field)
        }
        return Values(bits: bits, isAny: word.hasPrefix("*"))
    }

    private static func parse(part: Substring, _ field: Field) throws(CronProblem) -> UInt64 {
        let pieces = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        var range = try range(pieces.first ?? "", field)
        var step = 1
        if pieces.count == 2 {
            let text = shortened(String(pieces[1]))
            guard let number = number(pieces[1]), (1...field.range.upperBound).contains(number) else {
                throw CronProblem(
                    reason: "the \(field.name)'s step `\(text)` is no number from 1 to \(field.range.upperBound)")
            }
            step = number
            // `5/10` is `5-59/10`.
            if range.count == 1, pieces[0] != "*" { range = range.lowerBound...end(field) }
        }
        return stride(from: range.lowerBound, through: range.upperBound, by: step).reduce(0) { $0 | 1 << UInt64($1) }
    }

    /// Of `*` and of what goes on to the end: Sunday counts once.
    private static func end(_ field: Field) -> Int { field.name == "weekday" ? 6 : field.range.upperBound }

    private static func range(_ text: Substring, _ field: Field) throws(CronProblem) -> ClosedRange<Int> {
        if text == "*" { return field.range.lowerBound...end(field) }
        let bounds = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let low = try value(bounds.first ?? "", field)
        guard bounds.count == 2 else { return low...low }
        var high = try value(bounds[1], field)
        // `sat-sun` ends on the Sunday that follows.
        if high == 0, low > 0, field.name == "weekday" { high = 7 }
        guard low <= high else {
            throw CronProblem(reason: "the \(field.name)'s range `\(shortened(String(text)))` runs backwards")
        }
        return low...high
    }

    private static func value(_ text: Substring, _ field: Field) throws(CronProblem) -> Int {
        if let name = field.names.firstIndex(of: String(text)) { return name + field.range.lowerBound }
        guard let number = number(text), field.range.contains(number) else {
            let names = field.names.isEmpty ? "" : ", or \(field.names[0]) to \(field.names.last ?? "")"
            throw CronProblem(
                reason: text.isEmpty
                    ? "the \(field.name) has an empty part"
                    : "the \(field.name) `\(shortened(String(text)))` is not "
                        + "\(field.range.lowerBound) to \(field.range.upperBound)\(names)")
        }
        return number
    }

    private static func number(_ text: Substring) -> Int? {
        guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }
}
