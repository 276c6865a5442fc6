/// `2026-11-20T19:19:39.123Z` (RFC 3339, UTC, always 24 bytes), to and from milliseconds since 1970.
/// Days are counted as in Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".
enum LogTimestamp {
    static let length = 24

    static func append(_ milliseconds: Int64, to bytes: inout [UInt8]) {
        let day = milliseconds >= 0 ? milliseconds / 86_400_000 : (milliseconds - 86_399_999) / 86_400_000
        let rest = milliseconds - day * 86_400_000
        let z = day + 719_468
        let era = z / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        digits(year, 4, "-", &bytes)
        digits(month, 2, "-", &bytes)
        digits(dayOfYear - (153 * shifted + 2) / 5 + 1, 2, "T", &bytes)
        digits(rest / 3_600_000, 2, ":", &bytes)
        digits(rest / 60_000 % 60, 2, ":", &bytes)
        digits(rest / 1000 % 60, 2, ".", &bytes)
        digits(rest % 1000, 3, "Z", &bytes)
    }

    private static func digits(_ value: Int64, _ count: Int, _ end: Unicode.Scalar, _ bytes: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<count { divisor *= 10 }
        for _ in 0..<count {
            bytes.append(UInt8(48 + value / divisor % 10))
            divisor /= 10
        }
        bytes.append(UInt8(ascii: end))
    }

    /// `nil` where the bytes begin with no timestamp.
    static func parse(_ bytes: ArraySlice<UInt8>) -> Int64? {
        guard bytes.count >= length, bytes[bytes.startIndex + 23] == UInt8(ascii: "Z") else { return nil }
        func number(_ from: Int, _ count: Int) -> Int64? {
            var value: Int64 = 0
            for byte in bytes[(bytes.startIndex + from)..<(bytes.startIndex + from + count)] {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            return value
        }
        guard let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
            let minute = number(14, 2), let second = number(17, 2), let milli = number(20, 3), (1...12).contains(month)
        else { return nil }
        let y = month <= 2 ? year - 1 : year
        let era = y / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + milli
    }
}
