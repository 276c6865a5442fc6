import Glibc

/// Milliseconds since 1970 that never jump: the wall clock at the start of this process, plus the time since then.
enum SteadyClock {
    private static let offset = read(CLOCK_REALTIME) - read(CLOCK_BOOTTIME)

    static func now() -> Int64 { offset + read(CLOCK_BOOTTIME) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
