/// Notices when the clock on the wall goes further than the time that passed: it was set forward, or the machine slept.
struct ClockWatch {
    /// Less than this is the clock's being kept right.
    static let threshold: Int64 = 60_000

    private var last: (wall: Int64, steady: Int64)?
    private(set) var jumpedAt: Int64?

    /// - Parameters:
    ///   - wall: milliseconds since 1970.
    ///   - steady: milliseconds of a clock that nobody sets and that stands still while the machine sleeps.
    mutating func look(wall: Int64, steady: Int64) {
        if let last, (wall - last.wall) - (steady - last.steady) > Self.threshold { jumpedAt = wall }
        // Set back again: what was forward is so no more.
        if let jumpedAt, jumpedAt > wall { self.jumpedAt = wall }
        last = (wall, steady)
    }
}
