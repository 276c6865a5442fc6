/// Counts the frames that bring nothing (pings, settings, resets, priorities, window updates, empty data) against those that
/// do: a peer that only makes work is sent away. The classes of CVE-2019-9511 to 9518 and CVE-2023-44487.
struct FrameGauge: Sendable {
    /// This many more than what is useful allows, at any moment.
    private static let burst = 2000
    /// And this many in each second.
    private static let eachSecond: Int64 = 500
    /// A useful frame allows for so many others: window updates and priorities come with what they serve.
    private static let allowance = 8

    private var level = 0
    private var since: Int64 = 0

    mutating func useful() { level = max(0, level - Self.allowance) }

    mutating func noise(_ count: Int = 1) { level += count }

    /// - Parameter now: in milliseconds.
    mutating func isOver(now: Int64) -> Bool {
        guard level > Self.burst else { return false }
        let passed = min(now - since, 10_000)
        since = now
        level = max(0, level - Int(passed * Self.eachSecond / 1000))
        return level > Self.burst
    }
}
