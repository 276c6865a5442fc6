import HTTPWire

/// A hash table from (number, name) to a number, looked up by bytes of a message without making a `String`.
///
/// Names compare without ASCII case. Open addressing at a load of at most one half, FNV-1a. The keys come from the
/// routing table, never from a request, so nobody outside can choose colliding ones.
struct ByteMap: Sendable {
    private struct Slot: Sendable {
        var hash: UInt64 = 0
        var tag: UInt32 = 0
        var nameStart: UInt32 = 0
        var nameCount: UInt32 = 0
        /// -1: free.
        var value: Int32 = -1
    }

    private var slots: [Slot] = Array(repeating: Slot(), count: 16)
    private var names: [UInt8] = []
    private(set) var count = 0

    @inline(__always)
    private static func hash(_ tag: UInt32, _ name: UnsafeRawBufferPointer) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ (UInt64(tag) &* 0x9E37_79B9_7F4A_7C15)
        for byte in name { hash = (hash ^ UInt64(asciiLowercased(byte))) &* 0x100_0000_01B3 }
        return hash ^ (hash >> 29)
    }

    func find(_ tag: UInt32, _ name: UnsafeRawBufferPointer) -> Int? {
        let hash = Self.hash(tag, name)
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while slots[index].value >= 0 {
            if slots[index].hash == hash, matches(slots[index], tag, name) { return Int(slots[index].value) }
            index = (index + 1) & mask
        }
        return nil
    }

    func find(_ tag: UInt32, _ name: [UInt8]) -> Int? { name.withUnsafeBytes { find(tag, $0) } }

    /// False where the key is already there; the first value stays.
    @discardableResult
    mutating func insert(_ tag: UInt32, _ name: String, _ value: Int) -> Bool {
        let bytes = Array(name.utf8)
        guard bytes.withUnsafeBytes({ find(tag, $0) }) == nil else { return false }
        if (count + 1) * 2 > slots.count { grow() }
        let slot = Slot(
            hash: bytes.withUnsafeBytes { Self.hash(tag, $0) }, tag: tag, nameStart: UInt32(names.count),
            nameCount: UInt32(bytes.count), value: Int32(value))
        names.append(contentsOf: bytes.lazy.map(asciiLowercased))
        place(slot)
        count += 1
        return true
    }

    private mutating func place(_ slot: Slot) {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: slot.hash) & mask
        while slots[index].value >= 0 { index = (index + 1) & mask }
        slots[index] = slot
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(), count: old.count * 2)
        for slot in old where slot.value >= 0 { place(slot) }
    }

    private func matches(_ slot: Slot, _ tag: UInt32, _ name: UnsafeRawBufferPointer) -> Bool {
        guard slot.tag == tag, Int(slot.nameCount) == name.count else { return false }
        let start = Int(slot.nameStart)
        for index in 0..<name.count where names[start + index] != asciiLowercased(name[index]) { return false }
        return true
    }
}

extension ByteMap {
    /// How many slots `find` looks at.
    func steps(_ tag: UInt32, _ name: [UInt8]) -> Int {
        name.withUnsafeBytes { name in
            let mask = slots.count - 1
            var index = Int(truncatingIfNeeded: Self.hash(tag, name)) & mask
            var steps = 1
            while slots[index].value >= 0, !matches(slots[index], tag, name) {
                index = (index + 1) & mask
                steps += 1
            }
            return steps
        }
    }
}
