/// A `Host` of the shared edge port: `<service>.<env>.localhost` or `<service>--<overlayId>.<env>.localhost`, in any
/// case, with or without a port and a final dot.
package struct EdgeHost: Sendable, Equatable {
    /// The first label, which may hold `--<overlayId>`: service names may hold `--` too, so only the table can tell.
    package var label: ByteRange
    package var environment: ByteRange

    /// nil for every other host.
    package init?(_ host: ByteRange, in bytes: UnsafeRawBufferPointer) {
        let start = Int(host.start)
        var end = Int(host.end)
        var index = end
        while index > start, isDigit(bytes[index - 1]) { index -= 1 }
        if index > start, index < end || bytes[index - 1] == 0x3A, bytes[index - 1] == 0x3A { end = index - 1 }
        if end > start, bytes[end - 1] == 0x2E { end -= 1 }
        let suffix: StaticString = ".localhost"
        let stem = end - suffix.utf8CodeUnitCount
        guard stem > start, equalsIgnoringCase(ByteRange(stem, end).of(bytes), suffix) else { return nil }
        var dot = start
        while dot < stem, bytes[dot] != 0x2E { dot += 1 }
        guard dot < stem else { return nil }
        label = ByteRange(start, dot)
        environment = ByteRange(dot + 1, stem)
        guard isDNSLabel(label.of(bytes)), isDNSLabel(environment.of(bytes)) else { return nil }
    }

    /// The ways to read the label as service and overlay, by where its `--` stand, the last first.
    package func splits(in bytes: UnsafeRawBufferPointer) -> EdgeHostSplits { EdgeHostSplits(label, bytes) }
}

package struct EdgeHostSplits: Sequence, IteratorProtocol {
    private let label: ByteRange
    private let bytes: UnsafeRawBufferPointer
    private var index: Int

    init(_ label: ByteRange, _ bytes: UnsafeRawBufferPointer) {
        self.label = label
        self.bytes = bytes
        index = Int(label.end) - 2
    }

    package mutating func next() -> (service: ByteRange, overlay: ByteRange)? {
        while index > Int(label.start) {
            let position = index
            index -= 1
            guard bytes[position] == 0x2D, bytes[position + 1] == 0x2D, position + 2 < Int(label.end) else { continue }
            return (ByteRange(Int(label.start), position), ByteRange(position + 2, Int(label.end)))
        }
        return nil
    }
}
