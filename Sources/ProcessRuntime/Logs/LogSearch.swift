import Glibc

/// Finds places in a service's stored log by reading as little of it as it can, however large the log is.
struct LogSearch {
    private static let block = 64 << 10
    /// A line on disk is no longer than this.
    private static let longestLine = LogFormat.maximumText + 64
    /// Lines of two streams may be stored in another order than they came, by so many milliseconds; searching by time
    /// begins that much earlier, and the reader leaves out what is too old.
    static let disorder: Int64 = 2000

    let segments: LogSegments
    private(set) var bytesRead = 0

    init(_ segments: LogSegments) { self.segments = segments }

    /// Where the last so many lines before `end` (`nil`: before the end) begin.
    mutating func back(_ lines: Int, from end: LogPlace?) -> LogPlace {
        var missing = lines
        for segment in segments.numbers().reversed() where segment <= end?.segment ?? .max {
            guard let file = SegmentFile(segments.path(segment)) else { continue }
            let size = segment == end?.segment ? end?.offset ?? 0 : file.size
            var high = size
            var isEnd = true
            while high > 0 {
                let low = max(0, high - Self.block)
                let block = read(file, at: low, high - low)
                guard block.count == high - low else { return LogPlace(segment: segment, offset: low) }
                for index in block.indices.reversed() where block[index] == UInt8(ascii: "\n") {
                    // The line end of the last line ends it; each one before begins a line after it.
                    if isEnd, low + index == size - 1 {
                        isEnd = false
                        if missing > 0 { continue }
                    }
                    guard missing > 1 else { return LogPlace(segment: segment, offset: low + index + 1) }
                    missing -= 1
                }
                high = low
            }
            if size > 0 { missing -= 1 }
            guard missing > 0 else { return LogPlace(segment: segment, offset: 0) }
        }
        return .beginning
    }

    /// Not after the first line of this time or later; a little before it, because lines are not quite in order.
    mutating func at(time: Int64) -> LogPlace {
        let wanted = time - Self.disorder
        for segment in segments.numbers().reversed() {
            guard let file = SegmentFile(segments.path(segment)) else { continue }
            let size = file.size
            guard let first = line(file, after: nil, before: size), first.time < wanted else { continue }
            return LogPlace(segment: segment, offset: bisect(file, from: first.start, to: size, wanted))
        }
        return .beginning
    }

    /// The line before which everything is older, to the size of a block.
    private mutating func bisect(_ file: SegmentFile, from start: Int, to end: Int, _ time: Int64) -> Int {
        var (low, high) = (start, end)
        while high - low > Self.block {
            let middle = low + (high - low) / 2
            guard let found = line(file, after: middle, before: high) else {
                high = middle
                continue
            }
            if found.time < time { low = found.start } else { high = middle }
        }
        return low
    }

    /// The first whole line that begins behind `offset` (`nil`: at the beginning) and before `end`.
    private mutating func line(
        _ file: SegmentFile, after offset: Int?, before end: Int
    ) -> (start: Int, time: Int64)? {
        let low = offset ?? 0
        let bytes = read(file, at: low, min(end - low, 2 * Self.longestLine))
        var start = offset == nil ? 0 : bytes.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
        while let first = start, first < bytes.count {
            if let time = LogTimestamp.parse(bytes[first...]) { return (low + first, time) }
            start = bytes[first...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
        }
        return nil
    }

    /// The beginnings of the last `count` runs, the latest first: what the supervisor wrote when it started the program.
    mutating func lastStarts(_ count: Int) -> [LogPlace] {
        var found: [LogPlace] = []
        for segment in segments.numbers().reversed() {
            guard let file = SegmentFile(segments.path(segment)) else { continue }
            var high = file.size
            while high > 0 {
                let low = max(0, high - Self.block)
                found += starts(file, low, high).reversed().map { LogPlace(segment: segment, offset: $0) }
                if found.count >= count { return Array(found.prefix(count)) }
                high = low
            }
        }
        return found
    }

    /// Of the lines that begin from `low` to `high`.
    private mutating func starts(_ file: SegmentFile, _ low: Int, _ high: Int) -> [Int] {
        let before = low > 0 ? 1 : 0
        let bytes = read(file, at: low - before, high - low + before + Self.startLength)
        return bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return [] }
            var found: [Int] = []
            var next = low == 0 ? 0 : Self.lineEnd(bytes, 0)
            while let line = next, line < high - low + before {
                if bytes.count - line >= Self.startLength,
                    memcmp(base + line + LogTimestamp.length, Self.startMark, Self.startMark.count) == 0,
                    LogTimestamp.parse(Array(bytes[line..<(line + LogTimestamp.length)])[...]) != nil
                {
                    found.append(low - before + line)
                }
                next = Self.lineEnd(bytes, line)
            }
            return found
        }
    }

    private static let startMark = Array(" event \(ServiceLog.startText)".utf8)
    private static let startLength = LogTimestamp.length + startMark.count

    /// Where the next line begins.
    private static func lineEnd(_ bytes: UnsafeRawBufferPointer, _ from: Int) -> Int? {
        guard let base = bytes.baseAddress, from < bytes.count,
            let end = memchr(base + from, Int32(UInt8(ascii: "\n")), bytes.count - from)
        else { return nil }
        return UnsafeRawPointer(end) - base + 1
    }

    private mutating func read(_ file: SegmentFile, at offset: Int, _ count: Int) -> [UInt8] {
        let bytes = file.read(at: offset, count)
        bytesRead += bytes.count
        return bytes
    }
}
