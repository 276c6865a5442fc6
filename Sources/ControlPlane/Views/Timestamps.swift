import FoundationEssentials

/// RFC 3339 in UTC with milliseconds, from milliseconds since 1970.
package func timestamp(_ milliseconds: Int64) -> String {
    // A quarter of a millisecond more, because the formatter cuts and a binary fraction may lie just below.
    Date(timeIntervalSince1970: (Double(milliseconds) + 0.25) / 1000)
        .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true, timeZone: .gmt))
}
