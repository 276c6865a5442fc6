import API
import ControlPlane
import EnvironmentGraph
import HTTPTransport
import Logging
import Orchestration
import SQLiteStore
import SimulatedRuntime
import Storage
import Synchronization

/// The parts of a server, wired as it wires them, over a simulated runtime and in front of no gateway.
struct Parts: Sendable {
    let desk: ControlDesk
    let routes: RoutePublisher
    let server: HTTPServer
    let client: HTTPClient

    init(_ store: SQLiteStore, _ runtime: SimulatedRuntime, _ folder: String) throws {
        let outside = Outside(
            now: { MachineClock().now }, token: { String(UInt64.random(in: 0...UInt64.max), radix: 36) },
            isPortFree: { _ in true })
        let log = Logger(label: "scale")
        let board = StatusBoard()
        let routes = RoutePublisher(store: store, board: board, gateway: Tables(), now: outside.now, log: log)
        let desk = ControlDesk(
            store: store, runtime: runtime, routes: routes, board: board,
            gateway: GatewayKeeper(
                folder: ServerFolder(existing: "/nowhere"), executable: "", edgePort: nil, log: log),
            box: try SecretBox(keyFile: folder + "/secrets.key"), ports: 5_000_000...5_999_999, outside: outside,
            log: log
        ) {
            HealthView(version: "", pid: 1, startedAt: "", folder: "/nowhere", gateway: "running", edgePort: nil)
        }
        let address = HTTPAddress.unix(path: folder + "/server.sock")
        self.desk = desk
        self.routes = routes
        server = HTTPServer(address: address) { request, _ in await desk.handle(request, actor: "owner") }
        client = HTTPClient(address)
    }

    /// Returns when a request is answered as it should be.
    func answers() async throws {
        while true {
            do {
                let first = try await client.send(HTTPRequest("GET", "/v1/environments?limit=1"), timeout: .seconds(60))
                guard first.status == 200 else {
                    throw StoreError(.ioError, "the first request was answered \(first.status)")
                }
                return
            } catch is HTTPClientError {
                // The socket is not there yet.
                try await Task.sleep(for: .milliseconds(1))
            }
        }
    }
}

/// Takes every table: making it is measured, a gateway's work is not. A gateway's ports would not be enough for it.
final class Tables: TableTaking {
    private let version = Atomic<UInt64>(0)

    var tableVersion: UInt64 { version.load(ordering: .relaxed) }

    func currentTableVersion() async -> UInt64? { tableVersion }

    func put(_ table: inout RoutingTable) async throws -> [Int: String] {
        version.store(table.version, ordering: .relaxed)
        return [:]
    }
}
