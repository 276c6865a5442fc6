import EnvironmentGraph

extension EnvironmentID {
    /// A number for this environment that is the same in every process: FNV-1a with the last steps of SplitMix64. Of 100,000
    /// environments two have the same one with a chance of one in some thousand million. Never 0, nor ``TraceTable/several``.
    var key: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in rawValue.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
        return min(max(hash ^ (hash >> 31), 1), TraceTable.several - 1)
    }
}
