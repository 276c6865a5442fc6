import Foundation

/// Times that repeat, written as the five fields of a crontab: minute, hour, day of the month, month, weekday.
///
/// A field is `*`, a number, a name (`jan`, `mon`), a range, or a list of these by comma; `/n` takes every n-th of `*`, of
/// a range, or from a number to the field's end. 7 is Sunday, too. `@hourly`, `@daily` (`@midnight`), `@weekly`,
/// `@monthly` and `@yearly` (`@annually`) are short for what they say. As in POSIX and Vixie cron, a day matches when the
/// day of the month *or* the weekday does; where one of the two fields begins with `*`, both must match.
///
/// The clock on the wall of a zone decides: a time that it skips is the first instant after the gap, and one that it shows
/// twice counts once, when it is shown first.
///
/// Two expressions are equal when they mean the same times, however they are written.
package struct CronExpression: Sendable {
    /// As it was written, with single spaces.
    package let text: String
    /// One bit for each value that matches.
    let minutes: UInt64
    let hours: UInt64
    let days: UInt64
    let months: UInt64
    let weekdays: UInt64
    /// Whether either of the day fields is enough, as neither begins with `*`.
    let eitherDayMatches: Bool

    /// The first time after an instant; `nil` past the year 9999. Both in milliseconds since 1970, UTC.
    package func next(after time: Int64, in zone: TimeZone) -> Int64? {
        let (clock, second) = (LocalClock(zone: zone), Self.second(time))
        var local = clock.unshown(at: second)
        while let found = matching(from: local) {
            let instant = clock.instant(found)
            if instant > second { return Int64(instant) * 1000 }
            local = found + 60
        }
        return nil
    }

    /// The last time that is not after an instant; `nil` before 1970. Both in milliseconds since 1970, UTC.
    package func last(notAfter time: Int64, in zone: TimeZone) -> Int64? {
        let (clock, second) = (LocalClock(zone: zone), Self.second(time))
        var local = clock.unshown(at: second)
        while let found = matching(before: local) {
            let instant = clock.instant(found)
            if instant <= second { return Int64(instant) * 1000 }
            local = found
        }
        return nil
    }

    /// Rounded down.
    private static func second(_ time: Int64) -> Int { Int((Double(time) / 1000).rounded(.down)) }

    func matches(_ date: CivilDate, weekday: Int) -> Bool {
        guard months & (1 << UInt64(date.month)) != 0 else { return false }
        let isDay = days & (1 << UInt64(date.day)) != 0
        let isWeekday = weekdays & (1 << UInt64(weekday)) != 0
        return eitherDayMatches ? isDay || isWeekday : isDay && isWeekday
    }

    private static let lastDay = CivilDate(year: 9999, month: 12, day: 31).number

    /// The first matching minute at or after a local second, as a local second.
    private func matching(from local: Int) -> Int? {
        let firstMinute = (local + 59).quotient(60)
        var day = firstMinute.quotient(1440)
        var minute = firstMinute - day * 1440
        while day <= Self.lastDay {
            let date = CivilDate(number: day)
            if months & (1 << UInt64(date.month)) == 0 {
                day = date.firstOfNextMonth.number
                minute = 0
                continue
            }
            if matches(date, weekday: CivilDate.weekday(day)), let found = minuteOfDay(from: minute) {
                return (day * 1440 + found) * 60
            }
            day += 1
            minute = 0
        }
        return nil
    }

    /// The last matching minute before a local second, as a local second.
    private func matching(before local: Int) -> Int? {
        let lastMinute = (local - 1).quotient(60)
        var day = lastMinute.quotient(1440)
        var minute = lastMinute - day * 1440
        while day >= 0 {
            let date = CivilDate(number: day)
            if months & (1 << UInt64(date.month)) == 0 {
                day -= date.day
                minute = 1439
                continue
            }
            if matches(date, weekday: CivilDate.weekday(day)), let found = minuteOfDay(upTo: minute) {
                return (day * 1440 + found) * 60
            }
            day -= 1
            minute = 1439
        }
        return nil
    }

    private func minuteOfDay(from first: Int) -> Int? {
        for hour in first / 60..<24 where hours & (1 << UInt64(hour)) != 0 {
            let start = hour == first / 60 ? first % 60 : 0
            let left = minutes >> UInt64(start)
            if left != 0 { return hour * 60 + start + left.trailingZeroBitCount }
        }
        return nil
    }

    private func minuteOfDay(upTo last: Int) -> Int? {
        for hour in (0...last / 60).reversed() where hours & (1 << UInt64(hour)) != 0 {
            let end = hour == last / 60 ? last % 60 : 59
            let left = minutes & ((1 << UInt64(end + 1)) - 1)
            if left != 0 { return hour * 60 + 63 - left.leadingZeroBitCount }
        }
        return nil
    }
}

extension CronExpression: Hashable {
    private var meaning: [UInt64] { [minutes, hours, days, months, weekdays, eitherDayMatches ? 1 : 0] }

    package static func == (left: Self, right: Self) -> Bool { left.meaning == right.meaning }
    package func hash(into hasher: inout Hasher) { hasher.combine(meaning) }
}

extension CronExpression: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        do {
            self = try CronExpression(parsing: text)
        } catch {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: error.reason))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

extension CivilDate {
    fileprivate var firstOfNextMonth: CivilDate {
        month == 12 ? CivilDate(year: year + 1, month: 1, day: 1) : CivilDate(year: year, month: month + 1, day: 1)
    }
}

extension Int {
    /// Divided and rounded down, also below zero.
    fileprivate func quotient(_ divisor: Int) -> Int {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
