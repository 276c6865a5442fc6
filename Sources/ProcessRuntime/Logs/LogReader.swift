import Runtimes

/// Gives the stored lines of an environment, merged by time; reads the files itself, so it needs no supervisor.
/// Lines are read when they are asked for, and nothing is kept of what was given: a log of any size, and a slow reader,
/// cost no memory.
actor LogReader {
    /// `LogQuery.tail` is cut to this.
    static let maximumTail = 100_000
    /// How often the files are looked at with `follow`.
    static let period: Duration = .milliseconds(40)
    /// A page is given once it has so many bytes of text or lines.
    static let pageBytes = 32 << 10
    static let pageLines = 256

    private let query: LogQuery
    private var cursors: LogMerge
    private var isOpen = false

    /// - Parameter folder: `logs/` of the environment, with one folder per service.
    init(folder: String, query: LogQuery) {
        self.query = query
        cursors = LogMerge(folder: folder, services: query.services)
    }

    /// What was read from files so far.
    var bytesRead: Int { cursors.bytesRead }

    /// The next line; waits for it with `follow`, otherwise `nil` at the end.
    func next() async throws -> LogLine? {
        if !isOpen {
            isOpen = true
            open()
        }
        while true {
            try Task.checkCancellation()
            if let line = cursors.next() { return line }
            guard query.follow else { return nil }
            try await Task.sleep(for: Self.period)
            cursors.open(LogRange(since: query.since))
        }
    }

    /// The next line and what is there behind it without waiting.
    func nextPage() async throws -> [LogLine]? {
        guard let first = try await next() else { return nil }
        var page = [first]
        var bytes = first.text.utf8.count
        while page.count < Self.pageLines, bytes < Self.pageBytes, let line = cursors.next() {
            page.append(line)
            bytes += line.text.utf8.count
        }
        return page
    }

    private func open() {
        let tail = query.tail.map { max(0, min($0, Self.maximumTail)) }
        cursors.open(LogRange(tail: tail, since: query.since, previous: query.previous))
        guard let tail, cursors.count > 1 else { return }
        // Every service gave its last lines; the first of them all together are too many. They are counted in a reading of
        // their own, rather than kept.
        var counting = cursors.fresh()
        var found = 0
        while counting.next() != nil { found += 1 }
        for _ in 0..<max(0, found - tail) { _ = cursors.next() }
    }
}
