import CPlatform

/// The clocks of spans. Reading one is a call that stays in this process.
enum SpanClock {
    /// Nanoseconds of a clock that only goes forward.
    @inline(__always)
    static func now() -> UInt64 { msx_monotonic_nanoseconds() }

    /// Nanoseconds since 1970, UTC.
    static func wall() -> Int64 { msx_wall_nanoseconds() }

    /// What to add to ``now()`` for the time of day.
    static func wallOffset() -> Int64 { wall() - Int64(now()) }
}
