import EnvironmentGraph

/// The last few published tables, for gateways that follow this server. Empty while nobody does: a large table is worth its
/// memory only to them.
actor TableShelf {
    /// One run of a server: after a restore, or a clock that was set back, another run may give a version that was there to
    /// another table, and a delta from that one would make a mix.
    private let run: String
    /// Oldest first.
    private var tables: [RoutingTable] = []
    private var waiting: [UInt64: AsyncStream<Void>.Continuation] = [:]
    private var lastWaiting: UInt64 = 0
    private var lastAsked: ContinuousClock.Instant?
    private var isClosed = false

    static let maxTables = 4
    /// After so long without a question nobody follows any more.
    static let memory = Duration.seconds(120)

    init() { run = String(UInt64.random(in: .min ... .max), radix: 36) }

    /// Somebody follows, and there is nothing to give.
    var isLacking: Bool { lastAsked != nil && tables.isEmpty }

    func put(_ table: RoutingTable) {
        guard let lastAsked, !waiting.isEmpty || ContinuousClock.now - lastAsked < Self.memory else {
            (tables, lastAsked) = ([], nil)
            return
        }
        tables.append(table)
        if tables.count > Self.maxTables { tables.removeFirst() }
        for bell in waiting.values { bell.yield() }
    }

    /// From now on tables are kept.
    func begin() { lastAsked = .now }

    /// At once where the newest table is another than the cursor's, else when there is one, or after `limit`.
    func news(after cursor: String?, within limit: Duration) async -> TableNews {
        let deadline = ContinuousClock.now + limit
        lastAsked = .now
        while !isClosed, !Task.isCancelled, tables.last == nil || tables.last.map(self.cursor) == cursor {
            let left = deadline - .now
            guard left > .zero else { break }
            await wait(within: left)
        }
        guard let newest = tables.last else { return TableNews() }
        let now = self.cursor(newest)
        guard now != cursor else { return TableNews(cursor: now) }
        if let old = tables.first(where: { self.cursor($0) == cursor }), let delta = newest.delta(since: old) {
            return TableNews(cursor: now, delta: delta)
        }
        return TableNews(cursor: now, table: newest)
    }

    /// The server ends: nobody waits any more.
    func close() {
        isClosed = true
        for bell in waiting.values { bell.yield() }
    }

    private func cursor(_ table: RoutingTable) -> String { "\(run).\(table.version)" }

    private func wait(within limit: Duration) async {
        let (news, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        lastWaiting += 1
        let number = lastWaiting
        waiting[number] = bell
        defer { waiting[number] = nil }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in news { return } }
            // Cancelled: there is news.
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }
}
