/// A place in a service's stored log: the beginning of a line, or the end.
struct LogPlace: Sendable, Hashable, Comparable {
    /// 0 is before the first segment.
    var segment: Int
    var offset: Int

    static let beginning = LogPlace(segment: 0, offset: 0)

    static func < (a: Self, b: Self) -> Bool { (a.segment, a.offset) < (b.segment, b.offset) }
}
