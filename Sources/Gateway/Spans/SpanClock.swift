import Glibc

/// The clocks of spans. Reading one is a call that stays in this process.
enum SpanClock {
    /// Nanoseconds of a clock that only goes forward.
    @inline(__always)
    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// Nanoseconds since 1970, UTC.
    static func wall() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    /// What to add to ``now()`` for the time of day.
    static func wallOffset() -> Int64 { wall() - Int64(now()) }
}
