import Runtimes

/// Gives the stored lines of an environment, merged by time; reads the files itself, so it needs no supervisor.
/// Lines are read when they are asked for, so a slow reader costs no memory.
actor LogReader {
    /// `LogQuery.tail` is cut to this.
    static let maximumTail = 100_000
    /// How often the files are looked at with `follow`.
    static let period: Duration = .milliseconds(40)

    private let query: LogQuery
    private var cursors: LogMerge
    private var isOpen = false
    /// The lines of a `tail`, which have to be chosen before the first is given.
    private var chosen: ArraySlice<LogLine> = []

    /// - Parameter folder: `logs/` of the environment, with one folder per service.
    init(folder: String, query: LogQuery) {
        self.query = query
        cursors = LogMerge(folder: folder, services: query.services, since: query.since)
    }

    /// The next line; waits for it with `follow`, otherwise `nil` at the end.
    func next() async throws -> LogLine? {
        if !isOpen {
            isOpen = true
            open()
        }
        if let line = chosen.popFirst() { return line }
        while true {
            try Task.checkCancellation()
            if let line = cursors.next() { return line }
            guard query.follow else { return nil }
            try await Task.sleep(for: Self.period)
            cursors.open(tail: nil)
        }
    }

    private func open() {
        guard let tail = query.tail.map({ max(0, min($0, Self.maximumTail)) }) else { return cursors.open(tail: nil) }
        cursors.open(tail: tail)
        var last: [LogLine] = []
        while let line = cursors.next() {
            last.append(line)
            if last.count > 2 * tail + 1000 { last.removeFirst(last.count - tail) }
        }
        chosen = last.suffix(tail)
    }
}
