import Foundation
import Testing

@testable import Blueprints

@Suite struct CronTests {
    private static func milliseconds(_ text: String) throws -> Int64 {
        Int64(try Date(text, strategy: .iso8601).timeIntervalSince1970) * 1000
    }

    private static func shown(_ time: Int64?) -> String? {
        time.map { Date(timeIntervalSince1970: Double($0) / 1000).formatted(.iso8601) }
    }

    static let table: [(String, String, String, String?)] = [
        ("0 20 * * 1-5", "UTC", "2026-11-20T19:59:59Z", "2026-11-20T20:00:00Z"),
        ("0 20 * * 1-5", "UTC", "2026-11-20T20:00:00Z", "2026-11-23T20:00:00Z"),
        ("0 20 * * 1-5", "Europe/Berlin", "2026-11-20T12:00:00Z", "2026-11-20T19:00:00Z"),
        ("*/15 * * * *", "UTC", "2026-11-20T19:44:59Z", "2026-11-20T19:45:00Z"),
        ("5/20 3 * * *", "UTC", "2026-11-20T03:06:00Z", "2026-11-20T03:25:00Z"),
        ("@monthly", "UTC", "2026-11-20T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("@yearly", "UTC", "2026-11-20T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("0 0 * * sat-sun", "UTC", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"),
        ("0 0 * * 7", "UTC", "2026-11-20T00:00:00Z", "2026-11-22T00:00:00Z"),
        // Either of two days, but both where one field begins with a star.
        ("0 0 13 * fri", "UTC", "2026-11-20T12:00:00Z", "2026-11-27T00:00:00Z"),
        ("0 0 */13 * fri", "UTC", "2026-11-20T12:00:00Z", "2026-11-27T00:00:00Z"),
        ("0 0 1-7 * */3", "UTC", "2026-11-20T12:00:00Z", "2026-12-02T00:00:00Z"),
        // Leap days, and one on a Monday.
        ("0 0 29 2 *", "UTC", "2026-11-20T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"),
        ("0 0 29 2 */7", "UTC", "2026-11-20T00:00:00Z", "2032-02-29T00:00:00Z"),
        // Skipped: 02:30 does not exist in Berlin on 29 March; the first instant after the gap.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"),
        // Doubled: 02:30 comes twice on 25 October; the first.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
        ("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z"),
        // Half an hour forward, a whole day left out, no change at all.
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", "2026-10-03T15:30:00Z"),
        ("0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", "2011-12-30T10:00:00Z"),
        ("0 9 * * *", "Asia/Kolkata", "2026-11-20T00:00:00Z", "2026-11-20T03:30:00Z"),
    ]

    @Test(arguments: table)
    func comesNext(text: String, zone: String, after: String, next: String?) throws {
        let (cron, zone) = (try CronExpression(parsing: text), try #require(TimeZone(identifier: zone)))
        let found = cron.next(after: try Self.milliseconds(after), in: zone)
        #expect(Self.shown(found) == next)
        // What comes next was, then, the last.
        let time = try #require(found)
        #expect(cron.last(notAfter: time, in: zone) == time)
        #expect(cron.last(notAfter: time + 59_999, in: zone) == time)
        let before = try #require(cron.last(notAfter: time - 1, in: zone))
        #expect(try before <= Self.milliseconds(after))
        #expect(cron.next(after: before, in: zone) == time)
    }

    @Test(arguments: [
        "0 0 30 2 *", "0 0 31 4 *", "0 0 30,31 2 *", "0 0 31 2,4,6,9,11 *", "0 0 31 feb */2",
    ])
    func whatNeverComesIsRefused(text: String) {
        #expect(throws: CronProblem.self) { try CronExpression(parsing: text) }
    }

    @Test(arguments: ["0 0 30 2 mon", "0 0 29 2 */6", "0 0 31 1,2 *"])
    func whatComesSometimesIsNot(text: String) throws {
        #expect(try CronExpression(parsing: text).next(after: 0, in: .gmt) != nil)
    }

    @Test func equalTimesAreEqual() throws {
        func cron(_ text: String) throws -> CronExpression { try CronExpression(parsing: text) }
        #expect(try cron("0 0 * * 0") == cron("0 0 * * sun"))
        #expect(try cron("0 0 * * 0") == cron("@weekly"))
        #expect(try cron("*/30 * * * *") == cron("0,30 * * * *"))
        #expect(try cron("0 0 1 * *") != cron("0 0 1 * 1"))
        // The same bits, but other days: with a star, both must match.
        #expect(try cron("0 0 */2 * 1") != cron("0 0 1-31/2 * 1"))
    }

    // MARK: Laws

    private static let zones = [
        "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca",
        "Asia/Kathmandu", "Antarctica/Troll", "Pacific/Chatham", "America/St_Johns", "UTC",
    ]

    /// Walks minute by minute and asks the C library what the date is; knows nothing of the other's bits and jumps.
    private struct Oracle {
        let fields: [Set<Int>]
        let either: Bool
        let zone: TimeZone

        func matches(_ local: Int) -> Bool {
            var (time, parts) = (time_t(local), tm())
            gmtime_r(&time, &parts)
            let isDay = fields[2].contains(Int(parts.tm_mday))
            let isWeekday = fields[4].contains(Int(parts.tm_wday))
            return fields[0].contains(Int(parts.tm_min)) && fields[1].contains(Int(parts.tm_hour))
                && fields[3].contains(Int(parts.tm_mon) + 1)
                && (either ? isDay || isWeekday : isDay && isWeekday)
        }

        func local(_ second: Int) -> Int {
            second + zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second)))
        }

        /// Both in seconds; whole minutes.
        func next(after start: Int, within minutes: Int) -> Int? {
            // How far the clock had ever come.
            var shown = (-36 * 60...0).map { local(start + $0 * 60) }.max() ?? 0
            for minute in 1...minutes {
                let second = start + minute * 60
                let now = max(shown, local(second))
                for candidate in stride(from: shown + 60, through: now, by: 60) where matches(candidate) {
                    return second
                }
                shown = now
            }
            return nil
        }
    }

    private static func field(
        _ range: ClosedRange<Int>, _ random: inout SeededRandom
    ) -> (text: String, values: Set<Int>, isAny: Bool) {
        switch Int.random(in: 0..<5, using: &random) {
        case 0, 1: return ("*", Set(range), true)
        case 2:
            let step = Int.random(in: 1...range.upperBound, using: &random)
            return ("*/\(step)", Set(stride(from: range.lowerBound, through: range.upperBound, by: step)), true)
        case 3:
            let low = Int.random(in: range, using: &random)
            let high = Int.random(in: low...range.upperBound, using: &random)
            return ("\(low)-\(high)", Set(low...high), false)
        default:
            let some = (0..<3).map { _ in Int.random(in: range, using: &random) }
            return (some.map(String.init).joined(separator: ","), Set(some), false)
        }
    }

    /// Instants around changes of the clock, where it is hard.
    private static func start(_ zone: TimeZone, _ random: inout SeededRandom) -> Int {
        let day = Int.random(in: 15_000..<24_000, using: &random)
        let anywhere = Date(timeIntervalSince1970: Double(day * 86_400 + Int.random(in: 0..<86_400, using: &random)))
        let change = Bool.random(using: &random) ? zone.nextDaylightSavingTimeTransition(after: anywhere) : nil
        let second = Int((change ?? anywhere).timeIntervalSince1970) / 60 * 60
        return change == nil ? second : second + Int.random(in: -150...150, using: &random) * 60
    }

    @Test(arguments: 0..<10) func agreesWithAWalkMinuteByMinute(seed: Int) throws {
        var random = SeededRandom(state: UInt64(seed))
        let zone = try #require(TimeZone(identifier: Self.zones[seed]))
        var found = 0
        for _ in 0..<30 {
            let ranges = [0...59, 0...23, 1...31, 1...12, 0...6]
            let parts = ranges.map { Self.field($0, &random) }
            let text = parts.map(\.text).joined(separator: " ")
            guard let cron = try? CronExpression(parsing: text) else { continue }
            let oracle = Oracle(fields: parts.map(\.values), either: !parts[2].isAny && !parts[4].isAny, zone: zone)
            let start = Self.start(zone, &random)
            let expected = oracle.next(after: start, within: 4000)
            let next = cron.next(after: Int64(start) * 1000, in: zone).map { Int($0 / 1000) }
            if let expected {
                found += 1
                #expect(next == expected, "\(text) in \(zone.identifier) after \(start)")
                #expect(cron.last(notAfter: Int64(expected) * 1000, in: zone) == Int64(expected) * 1000)
            } else {
                #expect(next ?? .max > start + 4000 * 60, "\(text) in \(zone.identifier) after \(start)")
            }
        }
        #expect(found > 5)
    }

    @Test func theLastOneIsNotFollowedBeforeNow() throws {
        var random = SeededRandom(state: 7)
        for text in ["*/7 * * * *", "30 1,2 * * *", "0 20 * * 1-5", "15 3 29 2 *"] {
            let cron = try CronExpression(parsing: text)
            for name in Self.zones {
                let zone = try #require(TimeZone(identifier: name))
                let now = Int64(Self.start(zone, &random)) * 1000 + 17
                let last = try #require(cron.last(notAfter: now, in: zone))
                let next = try #require(cron.next(after: now, in: zone))
                #expect(last <= now && now < next)
                #expect(cron.next(after: last, in: zone) == next, "\(text) in \(name) at \(now)")
            }
        }
    }

    @Test func mutatedTextNeverTraps() {
        var random = SeededRandom(state: 11)
        let letters = Array("0123456789*/,-@ abcdjanmosuw\t!é")
        for _ in 0..<5000 {
            let text = String(
                (0..<Int.random(in: 0...20, using: &random)).map { _ in letters.randomElement(using: &random)! })
            _ = try? CronExpression(parsing: text)
        }
    }

    @Test func datesAndDaysAreInverse() {
        for number in stride(from: -800_000, through: 2_900_000, by: 97) {
            let date = CivilDate(number: number)
            #expect(date.number == number)
        }
        #expect(CivilDate(number: 0) == CivilDate(year: 1970, month: 1, day: 1))
        #expect(CivilDate.weekday(0) == 4)
    }
}
