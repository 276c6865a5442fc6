/// Cuts a stream of bytes into lines; holds at most one line of at most ``LogFormat/maximumText`` bytes.
struct LineSplitter: Sendable {
    private var partial: [UInt8] = []
    /// The rest of the present line is dropped up to its end.
    private var isCut = false

    /// Calls `line` for each whole line, without its end.
    mutating func feed(_ bytes: UnsafeRawBufferPointer, _ line: (ArraySlice<UInt8>) -> Void) {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            take(rest[..<end])
            flush(line)
            rest = rest[(end + 1)...]
        }
        take(rest)
    }

    /// At the end of the stream: gives the unfinished line, if there is one.
    mutating func finish(_ line: (ArraySlice<UInt8>) -> Void) {
        if !partial.isEmpty { flush(line) }
    }

    private mutating func take(_ bytes: Slice<UnsafeRawBufferPointer>) {
        guard !isCut else { return }
        let room = LogFormat.maximumText - LogFormat.cutMark.count - partial.count
        partial.append(contentsOf: bytes.prefix(room))
        guard bytes.count > room else { return }
        partial.append(contentsOf: LogFormat.cutMark)
        isCut = true
    }

    private mutating func flush(_ line: (ArraySlice<UInt8>) -> Void) {
        if !isCut, partial.last == UInt8(ascii: "\r") { partial.removeLast() }
        line(partial[...])
        partial.removeAll(keepingCapacity: partial.capacity < 8192)
        isCut = false
    }
}
