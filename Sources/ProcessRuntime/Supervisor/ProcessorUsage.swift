/// Adds up what a service's processes use of the processors, from looks at those that live and from what the ended ones
/// left. A value: times and readings are handed in.
///
/// The kernel moves an ended child's time to its parent when the parent waits for it. So the sum over living processes,
/// their waited-for children included, and over what this supervisor itself reaped goes only up, but for two cases: a
/// child that ends between the readings of it and of its parent (seen twice or not at all, until the next look), and a
/// parent that ignores SIGCHLD, whose children's time the kernel drops. The first is looked at again (``isPlausible``),
/// the second is put aside in `dropped`, so that the total never falls.
struct ProcessorUsage: Sendable, Hashable {
    struct Sample: Sendable, Hashable {
        /// Milliseconds.
        var time: Int64
        /// Microseconds.
        var used: Int64
    }

    /// A rate is taken over at least so many milliseconds: processor time is counted in steps of ten.
    static let shortest: Int64 = 500
    /// And over at most so many, so that it tells of now.
    static let longest: Int64 = 60_000
    /// What reading in steps may take away again, in microseconds.
    private static let grain: Int64 = 100_000

    /// Of those that were reaped here, in microseconds.
    private(set) var ended: Int64 = 0
    private var dropped: Int64 = 0
    private(set) var samples: [Sample] = []

    var last: Sample? { samples.last }

    mutating func addEnded(microseconds: Int64) { ended += microseconds }

    /// Whether a look at the living ones can be true after the last one on a machine with so many processors.
    func isPlausible(living: Int64, at time: Int64, processors: Int) -> Bool {
        let sum = living + ended + dropped
        guard let last else { return true }
        let possible = max(0, time - last.time) * 1000 * Int64(processors) + 500_000
        return sum >= last.used - Self.grain && sum <= last.used + possible
    }

    /// - Parameter living: microseconds that the living ones and their waited-for children used.
    mutating func record(living: Int64, at time: Int64) {
        let before = last?.used ?? 0
        var sum = living + ended + dropped
        if sum < before - Self.grain {
            dropped += before - sum
            sum = before
        }
        samples.append(Sample(time: time, used: max(before, sum)))
        // What is older than the newest that a rate may be taken from will not be needed any more.
        while samples.count > 2, time - samples[1].time >= Self.shortest { samples.removeFirst() }
        if samples.count > 8 { samples.remove(at: 1) }
    }

    /// Percent of one core, and over how many milliseconds; `nil` where the last looks lie too near or too far.
    var rate: (percent: Double, milliseconds: Int64)? {
        guard let last,
            let first = samples.last(where: { (Self.shortest...Self.longest).contains(last.time - $0.time) })
        else { return nil }
        let milliseconds = last.time - first.time
        return (Double(last.used - first.used) / 10 / Double(milliseconds), milliseconds)
    }
}
