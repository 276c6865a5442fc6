/// Times that come as seconds from outside, in whole milliseconds: never negative, at most a week, so that no arithmetic
/// on them can overflow.
enum Milliseconds {
    static let limit: Int64 = 7 * 24 * 3_600_000

    static func of(seconds: Double) -> Int64 {
        guard seconds > 0 else { return 0 }
        return seconds * 1000 < Double(limit) ? Int64(seconds * 1000) : limit
    }
}
