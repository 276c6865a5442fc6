/// Deterministic noise for pauses (SplitMix64), seeded from outside.
struct Jitter: Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// `pause` up to a fifth shorter or longer, never over `limit`.
    mutating func spread(_ pause: Int64, upTo limit: Int64) -> Int64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        let fifth = max(pause / 5, 1)
        return min(pause - fifth + Int64(mixed % UInt64(2 * fifth + 1)), limit)
    }
}
