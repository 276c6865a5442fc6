/// Goes through a head's lines as they become complete, and remembers where it stopped.
struct LineScanner: Sendable {
    enum Line {
        case more
        case line(Int, Int)
        case refused(WireViolation)
    }

    private(set) var lineStart = 0
    private var looked = 0
    private let maxBytes: Int

    init(maxBytes: Int = HTTPWire.maxHeadBytes) { self.maxBytes = maxBytes }

    mutating func reset() {
        lineStart = 0
        looked = 0
    }

    /// The next line without its CRLF; control bytes in it are for the line's own parser to find.
    mutating func next(_ bytes: UnsafeRawBufferPointer) -> Line {
        guard let feed = firstIndex(of: 0x0A, in: bytes, from: looked) else {
            looked = bytes.count
            return bytes.count > maxBytes ? .refused(.headTooLarge) : .more
        }
        guard feed < maxBytes else { return .refused(.headTooLarge) }
        guard feed > lineStart, bytes[feed - 1] == 0x0D else { return .refused(.bareLineFeed) }
        let start = lineStart
        lineStart = feed + 1
        looked = feed + 1
        return .line(start, feed - 1)
    }
}
