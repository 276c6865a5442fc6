import ArgumentParser

/// A length of time as typed: `500ms`, `90s`, `5m`, `1h`, `1h30m`, `2d`; a bare number is seconds.
package struct TimeLimit: ExpressibleByArgument, Sendable, Hashable {
    /// Longest that is accepted: a year.
    static let longest: Int64 = 365 * 86_400_000

    package let milliseconds: Int64

    package init?(argument: String) {
        if let seconds = Int64(argument), seconds >= 0, seconds <= Self.longest / 1000 {
            milliseconds = seconds * 1000
            return
        }
        var rest = argument[...]
        var total: Int64 = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            let unit = rest.dropFirst(digits.count).prefix { $0.isLetter }
            guard let count = Int64(digits), count <= Self.longest, let size = Self.sizes[String(unit)] else {
                return nil
            }
            total += count * size
            guard total <= Self.longest else { return nil }
            rest = rest.dropFirst(digits.count + unit.count)
        }
        milliseconds = total
    }

    private static let sizes: [String: Int64] = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]

    package var duration: Duration { .milliseconds(milliseconds) }

    package var defaultValueDescription: String { Timestamp.elapsed(milliseconds) }
}
