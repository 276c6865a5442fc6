import EnvironmentGraph

/// How often each key came: a hash table for one event loop. Adding to a key that is known takes one multiplication or two
/// and a comparison; `Dictionary` would hash every field for an adversary who cannot choose them.
struct KeyCounts {
    private var keys: [CountKey] = []
    private var counts: [UInt64] = []
    /// Positions in `keys` plus one, 0 where there is none; at a load of at most one half.
    private var slots: [Int32] = Array(repeating: 0, count: 64)

    var count: Int { keys.count }

    /// - Returns: whether it was added; a new key is not where there are `limit` of them.
    mutating func add(_ key: CountKey, limit: Int) -> Bool {
        var slot = key.mixed & (slots.count - 1)
        while slots[slot] != 0 {
            let position = Int(slots[slot]) - 1
            if keys[position] == key {
                counts[position] &+= 1
                return true
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        guard keys.count < limit else { return false }
        keys.append(key)
        counts.append(1)
        slots[slot] = Int32(keys.count)
        if keys.count * 2 > slots.count { grow() }
        return true
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: slots.count * 2)
        for (position, key) in keys.enumerated() {
            var slot = key.mixed & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(position + 1)
        }
    }

    /// Everything, which is then forgotten.
    mutating func removeAll() -> [(CountKey, UInt64)] {
        let all = Array(zip(keys, counts))
        keys.removeAll(keepingCapacity: true)
        counts.removeAll(keepingCapacity: true)
        for slot in slots.indices { slots[slot] = 0 }
        return all
    }
}

extension CountKey {
    /// The keys come from the routing table, so nobody outside can choose colliding ones.
    @inline(__always)
    fileprivate var mixed: Int {
        func pair(_ low: Int32, _ high: Int32) -> UInt64 {
            UInt64(UInt32(bitPattern: low)) | UInt64(UInt32(bitPattern: high)) << 32
        }
        var hash = pair(listener, environment) &* 0x9E37_79B9_7F4A_7C15
        hash = (hash ^ (hash >> 29) ^ pair(service, context)) &* 0xBF58_476D_1CE4_E5B9
        hash ^= (isProvider ? 1 : 0) | UInt64(fault.map { $0.rawValue + 1 } ?? 0) << 8 | (leak == nil ? 0 : 2)
        return Int(truncatingIfNeeded: ((hash ^ (hash >> 32)) &* 0x94D0_49BB_1331_11EB) >> 33)
    }
}
