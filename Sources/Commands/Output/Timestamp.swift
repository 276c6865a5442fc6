import Glibc

/// Points in time as the API writes them (RFC 3339 in UTC) and as people read them.
package enum Timestamp {
    /// Milliseconds since 1970; `nil` for what is not of the form `2026-11-20T19:24:05.123Z`.
    package static func milliseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z"), bytes[4] == UInt8(ascii: "-"),
            bytes[7] == UInt8(ascii: "-"), bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"),
            bytes[16] == UInt8(ascii: ":")
        else { return nil }
        func number(_ range: Range<Int>) -> Int64? { Int64(String(decoding: bytes[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var fraction: Int64 = 0
        if bytes[19] == UInt8(ascii: ".") {
            let digits = String(decoding: bytes[20..<(bytes.count - 1)], as: UTF8.self)
            guard let value = Int64(String((digits + "00").prefix(3))) else { return nil }
            fraction = value
        } else if bytes.count != 20 {
            return nil
        }
        return ((daysSince1970(year, month, day) * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + fraction
    }

    /// Howard Hinnant's `days_from_civil` (https://howardhinnant.github.io/date_algorithms.html).
    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    package static func text(_ milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func digits(_ value: Int, _ count: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let day = [Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)]
        let hour = [Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec)]
        return day.map { digits($0, 2) }.joined(separator: "-") + "T"
            + hour.map { digits($0, 2) }.joined(separator: ":") + "." + digits(Int(milliseconds % 1000), 3) + "Z"
    }

    package static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// `42s`, `3m`, `5h`, `12d`: how long ago; empty for what is no timestamp.
    package static func age(_ text: String, now: Int64 = Timestamp.now) -> String {
        guard let then = milliseconds(text) else { return "" }
        let seconds = max(0, now - then) / 1000
        switch seconds {
        case ..<120: return "\(seconds)s"
        case ..<7200: return "\(seconds / 60)m"
        case ..<172_800: return "\(seconds / 3600)h"
        default: return "\(seconds / 86_400)d"
        }
    }

    /// `in 42s`, `in 3m`, `now`: how far ahead; empty for what is no timestamp.
    package static func until(_ text: String, now: Int64 = Timestamp.now) -> String {
        guard let then = milliseconds(text) else { return "" }
        return then <= now ? "now" : "in " + age(Timestamp.text(now), now: then)
    }

    /// `0.4s`, `12.0s`, `3m05s`.
    package static func elapsed(_ milliseconds: Int64) -> String {
        let tenths = max(0, milliseconds) / 100
        if tenths < 1200 { return "\(tenths / 10).\(tenths % 10)s" }
        let seconds = tenths / 10
        return "\(seconds / 60)m\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)s"
    }
}
