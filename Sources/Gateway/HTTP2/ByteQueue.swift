import HTTPWire

/// Bytes in the order in which they came, taken from the front.
struct ByteQueue {
    /// Taken bytes are moved out of the way when they are this many and the most of it.
    private static let slack = 32 << 10

    private var buffer = WireBuffer(capacity: 512)
    private var start = 0

    var isEmpty: Bool { start == buffer.count }
    var count: Int { buffer.count - start }
    /// Valid until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer.bytes[start...]) }

    mutating func append<T>(_ body: (WireBuffer) -> T) -> T { body(buffer) }

    mutating func drop(_ count: Int) {
        start += count
        if start == buffer.count {
            buffer.clear()
            start = 0
        } else if start >= Self.slack, start * 2 > buffer.count {
            buffer.removeFirst(start)
            start = 0
        }
    }

    /// Moves as much as there is room for; returns how much.
    mutating func take(into target: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(target.count, self.count)
        guard count > 0 else { return 0 }
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        drop(count)
        return count
    }

    mutating func clear(keeping capacity: Int) {
        start = 0
        if buffer.capacity > capacity { buffer = WireBuffer(capacity: 512) } else { buffer.clear() }
    }
}
