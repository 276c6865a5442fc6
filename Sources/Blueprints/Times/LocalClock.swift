import Foundation

/// What the clocks on the wall of a time zone show, as seconds since 1970-01-01T00:00 of that very clock.
///
/// A clock that is set forward shows some times never, one that is set back shows some twice. Everything here goes by the
/// *first* instant at which the clock had come at least as far: a skipped time is the first instant after the gap, a
/// doubled one is its first showing. So instants never run against local times.
struct LocalClock {
    let zone: TimeZone

    /// More than a clock was ever set back or forward at once (Samoa left out a whole day in 2011).
    private static let reach = 26 * 3600

    /// Seconds that the clock is ahead of UTC.
    private func offset(_ instant: Int) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant)))
    }

    /// The first local second that had not yet been shown at an instant.
    func unshown(at instant: Int) -> Int {
        let (before, now) = (offset(instant - Self.reach), offset(instant))
        let next = instant + now + 1
        guard now < before else { return next }
        return max(next, change(after: instant - Self.reach, to: instant) + before)
    }

    /// The first instant at which the clock showed `local` or something later.
    func instant(_ local: Int) -> Int {
        // No clock is more than 15 hours off UTC.
        let (low, high) = (local - 15 * 3600, local + 15 * 3600)
        let (before, after) = (offset(low), offset(high))
        guard before != after else { return local - before }
        let change = change(after: low, to: high)
        return local - before < change ? local - before : max(change, local - after)
    }

    /// The first instant with the offset of `high`, which is another than that of `low`; found by halving.
    private func change(after low: Int, to high: Int) -> Int {
        let old = offset(low)
        var (low, high) = (low, high)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if offset(middle) == old { low = middle } else { high = middle }
        }
        return high
    }
}
