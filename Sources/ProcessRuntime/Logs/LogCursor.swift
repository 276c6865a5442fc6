import Glibc
import Runtimes

/// Which part of a service's stored lines is wanted.
struct LogRange: Sendable, Hashable {
    /// The last so many.
    var tail: Int?
    /// Milliseconds since 1970.
    var since: Int64?
    /// Only the run before the last one.
    var previous = false
}

/// Reads one service's stored lines in order, in blocks, over its segments; can go on when there is more.
struct LogCursor: ~Copyable {
    private static let block = 64 << 10

    let service: String
    private let segments: LogSegments
    private var number: Int
    private var file: SegmentFile?
    private var offset: Int
    private var buffer: [UInt8] = []
    private var position = 0
    private let since: Int64?
    /// Nothing at or after it is given.
    private let end: LogPlace?
    /// Segments were removed before they were read.
    private var hasMissed = false
    private var held: LogLine?
    /// What was read to find the place and the lines.
    private(set) var bytesRead: Int

    /// At the first line to give.
    init(service: String, folder: String, range: LogRange) {
        let segments = LogSegments(folder: folder)
        var search = LogSearch(segments)
        var start = LogPlace.beginning
        var end: LogPlace?
        if range.previous {
            let starts = search.lastStarts(2)
            // Of what was never started twice there is no previous run.
            (start, end) = starts.count == 2 ? (starts[1], starts[0]) : (.beginning, .beginning)
        }
        if let since = range.since { start = max(start, search.at(time: since)) }
        if let tail = range.tail { start = max(start, search.back(tail, from: end)) }
        self.init(service, segments, start, end: end, since: range.since, bytesRead: search.bytesRead)
    }

    private init(
        _ service: String, _ segments: LogSegments, _ start: LogPlace, end: LogPlace?, since: Int64?, bytesRead: Int
    ) {
        self.service = service
        self.segments = segments
        self.end = end
        self.since = since
        self.bytesRead = bytesRead
        (number, offset) = (start.segment, start.offset)
        if start.segment > 0 {
            file = SegmentFile(segments.path(start.segment))
            hasMissed = file == nil
        }
    }

    /// Another one at the same place, of one that has read nothing yet.
    borrowing func fresh() -> LogCursor {
        LogCursor(
            service, segments, LogPlace(segment: number, offset: offset), end: end, since: since, bytesRead: 0)
    }

    /// The next line; `nil` at the end of what is stored now.
    mutating func next() -> LogLine? {
        if let line = held.take() { return line }
        while true {
            while let end = buffer[position...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = LogFormat.parse(buffer[position..<end], service: service)
                position = end + 1
                if let line, line.time >= since ?? .min { return noted(line) }
            }
            guard fill() else { return nil }
        }
    }

    /// With a word before it where others are missing.
    private mutating func noted(_ line: LogLine) -> LogLine {
        guard hasMissed else { return line }
        hasMissed = false
        held = line
        return LogLine(
            time: line.time, service: service, stream: .event,
            text: "lines are missing here: the log was rotated faster than it was read")
    }

    /// Reads another block, going on to the next segment at the end of one. False where there is no more.
    private mutating func fill() -> Bool {
        buffer.removeFirst(position)
        position = 0
        if read() { return true }
        while number < end?.segment ?? .max {
            guard let later = segments.numbers().first(where: { $0 > number }) else { return false }
            // A segment is complete once a later one exists; look at its end again after seeing that one.
            if read() { return true }
            buffer = []
            if number > 0, later > number + 1 { hasMissed = true }
            // Gone meanwhile: the next one is looked for.
            file = SegmentFile(segments.path(later))
            if file == nil, number > 0 || later > 1 { hasMissed = true }
            (number, offset) = (later, 0)
            if read() { return true }
        }
        return false
    }

    private mutating func read() -> Bool {
        var count = Self.block
        if let end, number >= end.segment { count = number > end.segment ? 0 : min(count, end.offset - offset) }
        guard let bytes = file?.read(at: offset, count), !bytes.isEmpty else { return false }
        buffer += bytes
        offset += bytes.count
        bytesRead += bytes.count
        return true
    }
}
