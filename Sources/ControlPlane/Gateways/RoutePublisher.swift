import EnvironmentGraph
import Gateway
import Logging
import Orchestration
import Storage
import Synchronization

/// Makes the routing table from what is stored and observed, and hands it to the gateway. What did not change since the
/// last time is not read again (``RouteSources``).
///
/// Callers that come while a publication is being carried out share the next one, so that every caller's own change is
/// in the table that it waited for. Whatever failed, and whatever a gateway lost by starting anew, is published again
/// until it works: ``run()`` compares what the gateway has with what it should have.
package final class RoutePublisher: RoutePublishing {
    private let publications: Publications
    private let gateway: any TableTaking
    private let shelf = TableShelf()
    private let log: Logger
    private let bell = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// How often the gateway's table is compared with ours.
    private static let period = Duration.seconds(1)

    package init(
        store: any Store, board: StatusBoard, gateway: any TableTaking, now: @escaping @Sendable () -> Int64,
        log: Logger
    ) {
        publications = Publications(store: store, board: board, gateway: gateway, shelf: shelf, now: now)
        self.gateway = gateway
        self.log = log
    }

    @discardableResult
    package func publish() async throws -> [Int: String] { try await publications.next() }

    /// Of the table that the gateway was given last; `nil` where none was, or the last one did not arrive.
    package func publishedVersion() async -> UInt64? { await publications.version }

    /// What a gateway that follows this server asks for; see ``TableShelf/news(after:within:)``.
    func news(after cursor: String?, within limit: Duration) async -> TableNews {
        await shelf.begin()
        if await shelf.isLacking { isStale() }
        return await shelf.news(after: cursor, within: limit)
    }

    package func isStale() { bell.continuation.yield() }

    /// Until cancelled: publishes when rung, and whenever the gateway does not route by the last table.
    package func run() async {
        // What an earlier server published may be old.
        isStale()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Cancelled: the publishing is over.
                while (try? await Task.sleep(for: Self.period)) != nil {
                    let version = await self.gateway.currentTableVersion()
                    if await self.publications.isBehind(version) { self.bell.continuation.yield() }
                }
                self.bell.continuation.finish()
            }
            for await _ in bell.stream {
                do {
                    try await publish()
                } catch is CancellationError {
                    continue
                } catch {
                    log.warning("routes were not published; trying again", metadata: ["error": "\(error)"])
                }
            }
        }
        await shelf.close()
    }
}

/// Where routing tables go: the gateway of a server.
package protocol TableTaking: Sendable {
    /// Of the table that is routed by, as far as is known; 0 for none.
    var tableVersion: UInt64 { get }

    /// Asks; `nil` where nobody answers.
    func currentTableVersion() async -> UInt64?

    /// Returns when everything is routed by the table.
    ///
    /// - Parameter table: gets a higher version where a newer one is there.
    /// - Returns: the listeners that could not be bound, with the reason, by port.
    func put(_ table: inout RoutingTable) async throws -> [Int: String]
}

extension GatewayKeeper: TableTaking {}

/// One publication after the other.
private actor Publications {
    private let store: any Store
    private let gateway: any TableTaking
    private let shelf: TableShelf
    private let now: @Sendable () -> Int64
    private var sources: RouteSources
    /// Heard since the last publication was begun; never ended, as this lives as long as the server.
    private let changes: ChangedEnvironments
    private var unread: Set<EnvironmentID> = []
    /// The sources say something else than the last table.
    private var hasChanged = false
    private var current: Task<[Int: String], any Error>?
    private var upcoming: Task<[Int: String], any Error>?
    /// Of the last table; `nil` where there is none, or it did not arrive.
    private(set) var version: UInt64?
    private var refused: [Int: String] = [:]

    init(
        store: any Store, board: StatusBoard, gateway: any TableTaking, shelf: TableShelf,
        now: @escaping @Sendable () -> Int64
    ) {
        self.store = store
        self.shelf = shelf
        self.gateway = gateway
        self.now = now
        sources = RouteSources(board: board)
        changes = board.collectChanges {}
    }

    /// Whether a gateway with this table routes by something else than the last publication.
    func isBehind(_ theirs: UInt64?) -> Bool {
        version == nil || theirs != nil && theirs != version || !refused.isEmpty
    }

    func next() async throws -> [Int: String] {
        if let upcoming { return try await upcoming.value }
        let previous = current
        // Ends by itself; whoever called waits for it.
        let task = Task {
            // The previous publication's failure is its own callers' to see.
            _ = try? await previous?.value
            return try await self.carryOut()
        }
        upcoming = task
        return try await task.value
    }

    private func carryOut() async throws -> [Int: String] {
        current = upcoming
        upcoming = nil
        try await refresh()
        // Milliseconds grow over restarts of the server; a gateway refuses an older table, so a clock that was set back
        // must not matter.
        let known = gateway.tableVersion
        let isLacking = await shelf.isLacking
        if let version, !hasChanged, known == version, refused.isEmpty, !isLacking { return [:] }
        var table = sources.table(version: max(UInt64(max(0, now())), (version ?? 0) + 1, known + 1))
        // Until it works, the last table counts for nothing.
        version = nil
        refused = try await gateway.put(&table)
        version = table.version
        hasChanged = false
        // After this machine's gateway has it: its listeners are that one's.
        await shelf.put(table)
        return refused
    }

    /// Reads what changed. What is read last is one transaction that sees everything as it is at that moment; a first
    /// reading of very many comes in pieces before it, so that others can read as well.
    private func refresh() async throws {
        unread.formUnion(changes.take())
        while true {
            let (wanted, known) = (sources.rung(unread), sources.versions)
            let found = try await store.read { try RouteSources.Reading($0, known: known, also: wanted) }
            if sources.take(found) { hasChanged = true }
            unread.subtract(found.ids)
            if found.isWhole { break }
        }
        unread = []
    }
}
