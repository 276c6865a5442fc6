import Synchronization

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014): a few instructions,
/// and every seed gives another good sequence. Shared by everything in one run, so that one seed makes one history.
package final class SeededRandom: Sendable {
    private let state: Mutex<UInt64>

    package init(seed: UInt64) { state = Mutex(seed) }

    package func next() -> UInt64 {
        let mixed = state.withLock { state -> UInt64 in
            state &+= 0x9E37_79B9_7F4A_7C15
            return state
        }
        var z = mixed
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// True with this probability.
    package func chance(_ probability: Double) -> Bool {
        probability > 0 && Double(next() >> 11) / Double(1 << 53) < probability
    }

    package func number(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.count))
    }

    package func milliseconds(_ range: ClosedRange<Int>) -> Duration { .milliseconds(number(range)) }

    package func microseconds(_ range: ClosedRange<Int>) -> Duration { .microseconds(number(range)) }

    /// One of them.
    package func pick<T>(_ choices: [T]) -> T? {
        choices.isEmpty ? nil : choices[number(0...choices.count - 1)]
    }
}
