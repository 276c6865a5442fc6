import HTTPWire

/// A hash table from (number, name) to a number, looked up by bytes of a message without making a `String`, of which a
/// changed copy shares nearly everything with the one before.
///
/// Names compare without ASCII case. Extendible hashing (Fagin et al., 1979): a directory of small tables with open
/// addressing at a load of at most one half; a change copies one of these and the directory, whatever the number of keys.
/// FNV-1a, with its bits stirred. The keys come from the routing table, never from a request, so nobody outside can choose
/// colliding ones.
struct ByteMap: Sendable {
    /// Two to the power of `depth` segments; one of less depth stands in it several times.
    private var directory: [Segment] = [Segment(Block(capacity: 8))]
    private var depth: UInt32 = 0
    private(set) var count = 0

    /// Of keys in a segment that is not divided any further.
    private static let fullSegment = 64
    private static let deepest: UInt32 = 20

    func find(_ tag: UInt32, _ name: UnsafeRawBufferPointer) -> Int? {
        let key = Key(tag, name)
        return directory.withUnsafeBufferPointer { directory in
            // Looked at where it stands: to hold the block would be to write to memory that nobody else needs.
            let segment = directory.baseAddress.unsafelyUnwrapped + key.place(depth)
            let slots = segment.pointee.slots
            let mask = Int(segment.pointee.mask)
            var index = Int(key.short) & mask
            while slots[index].value >= 0 {
                if slots[index].isFor(key, name, segment) { return Int(slots[index].value) }
                index = (index + 1) & mask
            }
            return nil
        }
    }

    func find(_ tag: UInt32, _ name: [UInt8]) -> Int? { name.withUnsafeBytes { find(tag, $0) } }

    func find(_ tag: UInt32, _ name: String) -> Int? { find(tag, Array(name.utf8)) }

    /// False where the key is already there; the first value stays.
    @discardableResult
    mutating func insert(_ tag: UInt32, _ name: String, _ value: Int) -> Bool { insert(tag, Array(name.utf8), value) }

    @discardableResult
    mutating func insert(_ tag: UInt32, _ name: [UInt8], _ value: Int) -> Bool {
        guard find(tag, name) == nil else { return false }
        let key = name.withUnsafeBytes { Key(tag, $0) }
        while directory[key.place(depth)].block.count >= Self.fullSegment,
            directory[key.place(depth)].depth < Self.deepest
        {
            divide(key.place(depth))
        }
        change(key.place(depth)) { block in block.insert(Slot(key, name, value, &block.long)) }
        count += 1
        return true
    }

    /// False where there is no such key.
    @discardableResult
    mutating func remove(_ tag: UInt32, _ name: [UInt8]) -> Bool {
        guard find(tag, name) != nil else { return false }
        let key = name.withUnsafeBytes { Key(tag, $0) }
        let segment = directory[key.place(depth)]
        // Made anew, without it: a hole would end the ways of others.
        let left = Block(capacity: segment.block.capacity)
        for slot in segment.block.taken {
            let isIt = name.withUnsafeBytes { name in
                withUnsafePointer(to: segment) { slot.isFor(key, name, $0) }
            }
            if !isIt { left.insert(slot.moved(from: segment.block, to: left)) }
        }
        change(key.place(depth)) { block in block = left }
        count -= 1
        return true
    }

    /// Changes a segment wherever the directory has it.
    private mutating func change(_ place: Int, _ body: (inout Block) -> Void) {
        let ownDepth = directory[place].depth
        let span = 1 << Int(depth - ownDepth)
        let first = place & ~(span - 1)
        // Another map may have it, too.
        let isOwn = isOwn(first, span)
        var block = isOwn ? directory[first].block : Block(copying: directory[first].block)
        body(&block)
        for index in first..<(first + span) { directory[index] = Segment(block, depth: ownDepth) }
    }

    /// Whether no other map has the segment at these places; several places count as others.
    private mutating func isOwn(_ first: Int, _ span: Int) -> Bool {
        span == 1 && isKnownUniquelyReferenced(&directory[first].block)
    }

    private mutating func divide(_ place: Int) {
        if directory[place].depth == depth {
            directory = directory.flatMap { [$0, $0] }
            depth += 1
            return divide(place * 2)
        }
        let old = directory[place]
        let span = 1 << Int(depth - old.depth)
        let first = place & ~(span - 1)
        let halves = (Block(capacity: 128), Block(capacity: 128))
        for slot in old.block.taken {
            let name = slot.name(in: old.block)
            let place = name.withUnsafeBytes { Key(slot.tag, $0).place(old.depth + 1) }
            let half = place & 1 == 0 ? halves.0 : halves.1
            half.insert(slot.moved(from: old.block, to: half))
        }
        for index in first..<(first + span) {
            directory[index] = Segment(index < first + span / 2 ? halves.0 : halves.1, depth: old.depth + 1)
        }
    }
}

extension ByteMap {
    /// What is looked for, its name in lower case where that fits.
    fileprivate struct Key {
        let tag: UInt32
        let hash: UInt64
        let count: Int
        var words: (UInt64, UInt64) = (0, 0)

        @inline(__always)
        init(_ tag: UInt32, _ name: UnsafeRawBufferPointer) {
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ (UInt64(tag) &* 0x9E37_79B9_7F4A_7C15)
            count = name.count
            for index in 0..<name.count {
                let byte = UInt64(asciiLowercased(name[index]))
                hash = (hash ^ byte) &* 0x100_0000_01B3
                if index < 8 {
                    words.0 |= byte &<< UInt64(index &* 8)
                } else if index < 16 {
                    words.1 |= byte &<< UInt64((index &- 8) &* 8)
                }
            }
            hash = (hash ^ (hash >> 32)) &* 0xD6E8_FEB8_6659_FD93
            self.hash = hash ^ (hash >> 32)
            self.tag = tag
        }

        var short: UInt32 { UInt32(truncatingIfNeeded: hash) }

        /// Where the directory has its segment: by the first bits of its hash.
        @inline(__always)
        func place(_ depth: UInt32) -> Int { Int(truncatingIfNeeded: (hash &>> 1) &>> UInt64(63 &- depth)) }
    }

    fileprivate struct Slot {
        var hash: UInt32 = 0
        var tag: UInt32 = 0
        /// -1: free.
        var value: Int32 = -1
        var count: UInt32 = 0
        /// The name, in lower case; of one of more than 16 bytes, where it begins among the long ones.
        var words: (UInt64, UInt64) = (0, 0)

        static let inline = 16

        init() {}

        init(_ key: Key, _ name: [UInt8], _ value: Int, _ long: inout [UInt8]) {
            hash = key.short
            tag = key.tag
            self.value = Int32(value)
            count = UInt32(key.count)
            words = key.words
            if name.count > Self.inline {
                words = (UInt64(long.count), 0)
                long.append(contentsOf: name.lazy.map(asciiLowercased))
            }
        }

        @inline(__always)
        func isFor(_ key: Key, _ name: UnsafeRawBufferPointer, _ segment: UnsafePointer<Segment>) -> Bool {
            guard hash == key.short, tag == key.tag, Int(count) == key.count else { return false }
            if key.count <= Self.inline { return words == key.words }
            let start = Int(words.0)
            for index in 0..<key.count where segment.pointee.block.long[start + index] != asciiLowercased(name[index]) {
                return false
            }
            return true
        }

        func name(in block: Block) -> [UInt8] {
            if count > Self.inline { return Array(block.long[Int(words.0)..<(Int(words.0) + Int(count))]) }
            return (0..<Int(count)).map { index in
                UInt8(truncatingIfNeeded: (index < 8 ? words.0 : words.1) >> UInt64((index & 7) * 8))
            }
        }

        func moved(from block: Block, to other: Block) -> Slot {
            guard count > Self.inline else { return self }
            var slot = self
            slot.words.0 = UInt64(other.long.count)
            other.long += name(in: block)
            return slot
        }
    }

    /// Has all keys whose hashes begin with the same `depth` bits. The slots stand here so that a lookup touches nothing
    /// else of the block.
    fileprivate struct Segment: @unchecked Sendable {
        let slots: UnsafeMutablePointer<Slot>
        let mask: UInt32
        let depth: UInt32
        var block: Block

        init(_ block: Block, depth: UInt32 = 0) {
            slots = block.slots
            mask = UInt32(block.capacity - 1)
            self.depth = depth
            self.block = block
        }
    }

    /// `@unchecked Sendable`: changed only while one map alone has it, which is one that is being made.
    fileprivate final class Block: @unchecked Sendable {
        private(set) var slots: UnsafeMutablePointer<Slot>
        private(set) var capacity: Int
        private(set) var count = 0
        var long: [UInt8] = []

        init(capacity: Int) {
            self.capacity = capacity
            slots = .allocate(capacity: capacity)
            slots.initialize(repeating: Slot(), count: capacity)
        }

        init(copying other: Block) {
            capacity = other.capacity
            count = other.count
            long = other.long
            slots = .allocate(capacity: capacity)
            slots.initialize(from: other.slots, count: capacity)
        }

        deinit { slots.deallocate() }

        var taken: [Slot] { (0..<capacity).map { slots[$0] }.filter { $0.value >= 0 } }

        func insert(_ slot: Slot) {
            if (count + 1) * 2 > capacity { grow() }
            place(slot)
            count += 1
        }

        private func place(_ slot: Slot) {
            var index = Int(slot.hash) & (capacity - 1)
            while slots[index].value >= 0 { index = (index + 1) & (capacity - 1) }
            slots[index] = slot
        }

        private func grow() {
            let old = taken
            slots.deallocate()
            capacity *= 2
            slots = .allocate(capacity: capacity)
            slots.initialize(repeating: Slot(), count: capacity)
            for slot in old { place(slot) }
        }
    }

    /// How many slots `find` looks at.
    func steps(_ tag: UInt32, _ name: [UInt8]) -> Int {
        name.withUnsafeBytes { name in
            let key = Key(tag, name)
            return withUnsafePointer(to: directory[key.place(depth)]) { segment in
                var index = Int(key.short) & Int(segment.pointee.mask)
                var steps = 1
                while segment.pointee.slots[index].value >= 0,
                    !segment.pointee.slots[index].isFor(key, name, segment)
                {
                    index = (index + 1) & Int(segment.pointee.mask)
                    steps += 1
                }
                return steps
            }
        }
    }
}
