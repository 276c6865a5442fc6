import EnvironmentGraph
import Gateway
import Logging
import Orchestration
import Storage
import Synchronization

/// Makes the routing table from what is stored and observed, and hands it to the gateway.
///
/// Callers that come while a publication is being carried out share the next one, so that every caller's own change is
/// in the table that it waited for. Whatever failed, and whatever a gateway lost by starting anew, is published again
/// until it works: ``run()`` compares what the gateway has with what it should have.
package final class RoutePublisher: RoutePublishing {
    private let publications: Publications
    private let gateway: GatewayKeeper
    private let log: Logger
    private let bell = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// How often the gateway's table is compared with ours.
    private static let period = Duration.seconds(1)

    package init(
        store: any Store, board: StatusBoard, gateway: GatewayKeeper, now: @escaping @Sendable () -> Int64, log: Logger
    ) {
        publications = Publications(store: store, board: board, gateway: gateway, now: now)
        self.gateway = gateway
        self.log = log
    }

    @discardableResult
    package func publish() async throws -> [Int: String] { try await publications.next() }

    /// Of the table that the gateway was given last; `nil` where none was, or the last one did not arrive.
    func publishedVersion() async -> UInt64? { await publications.version }

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
    }
}

/// One publication after the other.
private actor Publications {
    private let store: any Store
    private let board: StatusBoard
    private let gateway: GatewayKeeper
    private let now: @Sendable () -> Int64
    private var current: Task<[Int: String], any Error>?
    private var upcoming: Task<[Int: String], any Error>?
    private var published: RoutingTable?
    private var refused: [Int: String] = [:]

    init(store: any Store, board: StatusBoard, gateway: GatewayKeeper, now: @escaping @Sendable () -> Int64) {
        self.store = store
        self.board = board
        self.gateway = gateway
        self.now = now
    }

    var version: UInt64? { published?.version }

    /// Whether a gateway with this table routes by something else than the last publication.
    func isBehind(_ version: UInt64?) -> Bool {
        published == nil || version != nil && version != published?.version || !refused.isEmpty
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
        let (environments, ports) = try await store.read { store in
            let environments = try store.environments()
            return (environments, try environments.map { try store.ports(of: $0.id) })
        }
        let facts = zip(environments, ports).map { record, ports in
            RoutingFacts(record: record, ready: ready(record), assignments: ports)
        }
        // Milliseconds grow over restarts of the server; a gateway refuses an older table, so a clock that was set back
        // must not matter.
        let known = gateway.tableVersion
        let version = max(UInt64(max(0, now())), (published?.version ?? 0) + 1, known + 1)
        var table = RoutingTable.make(version: version, facts)
        if let published, published.sameRoutes(as: table), known == published.version, refused.isEmpty { return [:] }
        // Until it works, the last table counts for nothing.
        published = nil
        refused = try await gateway.put(&table)
        published = table
        return refused
    }

    /// While the runtime has said nothing yet (the server has just started), what should run counts as ready: its copy is
    /// the right one, and most likely never stopped.
    private func ready(_ record: EnvironmentRecord) -> Set<String> {
        if let ready = board.ready(record) { return ready }
        return [.running, .degraded].contains(record.state) ? Set(record.localServices.flatMap(\.instances)) : []
    }
}

extension RoutingTable {
    fileprivate func sameRoutes(as other: RoutingTable) -> Bool {
        environments == other.environments && listeners == other.listeners
    }
}

extension RoutingFacts {
    init(record: EnvironmentRecord, ready: Set<String>, assignments: [PortAssignment]) {
        var ports: [String: [String: Int]] = [:]
        var addresses: [Address] = []
        for assignment in assignments {
            switch assignment.purpose {
            case .service(let service, let port): ports[service, default: [:]][port] = assignment.number
            case .address(let caller, let service, let port):
                addresses.append(
                    Address(caller: caller, service: service, portName: port, number: assignment.number))
            }
        }
        self.init(record: record, ready: ready, ports: ports, addresses: addresses)
    }
}
