import Glibc
import Runtimes

/// Reads one service's stored lines in order, in blocks, over its segments; can go on when there is more.
struct LogCursor: ~Copyable {
    private static let block = 64 << 10

    let service: String
    private let segments: LogSegments
    private var number = 0
    private var descriptor: Int32 = -1
    private var offset = 0
    private var buffer: [UInt8] = []
    private var position = 0
    private let since: Int64?

    /// At the first line to give: with `tail`, the last so many lines of what is stored now.
    init(service: String, folder: String, tail: Int?, since: Int64?) {
        self.service = service
        segments = LogSegments(folder: folder)
        self.since = since
        if let tail { seekBack(tail) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The next line; `nil` at the end of what is stored now.
    mutating func next() -> LogLine? {
        while true {
            while let end = buffer[position...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = LogFormat.parse(buffer[position..<end], service: service)
                position = end + 1
                if let line, line.time >= since ?? .min { return line }
            }
            guard fill() else { return nil }
        }
    }

    /// Reads another block, going on to the next segment at the end of one. False where there is no more.
    private mutating func fill() -> Bool {
        buffer.removeFirst(position)
        position = 0
        while true {
            if descriptor < 0 {
                guard let following = segments.numbers().first(where: { $0 > number }) else { return false }
                guard open(following, at: 0) else { return false }
            }
            if read() { return true }
            // A segment is complete once a later one exists; look at its end again after seeing that one.
            guard let later = segments.numbers().first(where: { $0 > number }) else { return false }
            if read() { return true }
            buffer = []
            guard open(later, at: 0) else { return false }
        }
    }

    private mutating func read() -> Bool {
        let count = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: Self.block))
        let got = buffer[count...].withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
        buffer.removeLast(Self.block - max(got, 0))
        offset += max(got, 0)
        return got > 0
    }

    private mutating func open(_ segment: Int, at start: Int) -> Bool {
        if descriptor >= 0 { close(descriptor) }
        descriptor = Glibc.open(segments.path(segment), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        number = segment
        offset = start
        return true
    }

    /// Looks for the place `lines` line ends before the end, block by block from behind.
    private mutating func seekBack(_ lines: Int) {
        var missing = lines
        for segment in segments.numbers().reversed() {
            guard open(segment, at: 0) else { continue }
            let end = Int(max(lseek(descriptor, 0, SEEK_END), 0))
            var high = end
            var isEnd = true
            while high > 0 {
                let low = max(0, high - Self.block)
                var block = [UInt8](repeating: 0, count: high - low)
                let got = block.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(low)) }
                guard got == block.count else { return }
                for index in block.indices.reversed() where block[index] == UInt8(ascii: "\n") {
                    // The line end of the last line ends it; each one before begins a line after it.
                    if isEnd, low + index == end - 1 { isEnd = false; if missing > 0 { continue } }
                    guard missing > 1 else {
                        offset = low + index + 1
                        return
                    }
                    missing -= 1
                }
                high = low
            }
            if end > 0 { missing -= 1 }
            guard missing > 0 else {
                offset = 0
                return
            }
        }
    }
}
