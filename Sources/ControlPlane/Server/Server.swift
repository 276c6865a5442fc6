import API
import EnvironmentGraph
import Foundation
import HTTPTransport
import Logging
import Orchestration
import ProcessRuntime
import SQLiteStore
import Storage

/// The control plane of one state folder: it wires the store, the runtime, the gateway and the engine together and
/// serves the API on the owner's Unix socket and, with a token, on TCP.
///
/// It starts in the order of dependence and stops in reverse. Stopping it, or killing it, touches no service and no
/// request: supervisors and gateway live on, and the next server finds them.
package struct Server: Sendable {
    private let configuration: ServerConfiguration
    private let folder: ServerFolder
    private let store: SQLiteStore
    private let gateway: GatewayKeeper
    private let routes: RoutePublisher
    private let orchestrator: Orchestrator
    private let lifecycles: LifecycleKeeper
    private let handler: APIHandler
    private let socket: String
    private let log: Logger

    /// Takes the state folder and opens what is in it.
    ///
    /// - Throws: ``StoreError`` with what to do about it.
    package init(_ configuration: ServerConfiguration, outside: Outside, log: Logger) throws {
        self.configuration = configuration
        self.log = log
        folder = try ServerFolder(path: configuration.folder)
        try folder.take()
        store = try SQLiteStore(path: folder.store)
        let box = try SecretBox(keyFile: folder.key)
        let board = StatusBoard()
        let runtime = ProcessRuntime(
            root: folder.environments, supervisorCommand: [configuration.executable, "supervise"])
        gateway = GatewayKeeper(
            folder: folder, executable: configuration.executable, edgePort: configuration.edgePort, log: log)
        routes = RoutePublisher(store: store, board: board, gateway: gateway, now: outside.now, log: log)
        socket = folder.socket
        let startedAt = timestamp(outside.now())
        let desk = ControlDesk(
            store: store, runtime: runtime, routes: routes, board: board, gateway: gateway, box: box,
            ports: configuration.ports, outside: outside, log: log
        ) { [gateway, configuration] in
            HealthView(
                version: configuration.version, pid: getpid(), startedAt: startedAt, folder: configuration.folder,
                gateway: await gateway.health(), edgePort: gateway.edgePort)
        }
        orchestrator = desk.orchestrator
        lifecycles = desk.lifecycles
        handler = desk.handler
    }

    /// Serves until the calling task is cancelled; then lets requests in flight end and stops.
    ///
    /// - Parameter onReady: called once, when the server answers.
    package func run(onReady: @escaping @Sendable () -> Void) async throws {
        try await gateway.ensureRunning()
        try await orchestrator.start()
        defer { store.close() }
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await gateway.run() }
                group.addTask { await routes.run() }
                group.addTask { await lifecycles.run() }
                group.addTask { try await serveOwner(onReady: onReady) }
                if let listener = configuration.listener {
                    group.addTask { try await serveTCP(listener) }
                }
                // The first that ends ends all: cancellation, or an address that cannot be bound.
                try await group.next()
                group.cancelAll()
                try await group.waitForAll()
            }
        } catch {
            await orchestrator.stop()
            throw error
        }
        await orchestrator.stop()
        unlink(folder.announcement)
    }

    /// The socket's mode keeps everybody else out; who gets in is the owner.
    private func serveOwner(onReady: @escaping @Sendable () -> Void) async throws {
        let server = HTTPServer(address: .unix(path: socket)) { [handler] request, peer in
            guard let uid = peer.uid, uid == geteuid() || uid == 0 else {
                return APIHandler.failure(
                    APIProblem(.forbidden, "this socket is its owner's alone"), requestID: "req_refused")
            }
            return await handler.handle(request, actor: "owner")
        }
        try await server.run { _ in
            do {
                try announce()
                onReady()
            } catch {
                log.error("cannot announce the server", metadata: ["error": "\(error)"])
            }
        }
    }

    private func serveTCP(_ listener: ServerConfiguration.Listener) async throws {
        let expected = SecretBox.sha256(Array(listener.token.utf8))
        let address = HTTPAddress.tcp(host: listener.host, port: listener.port)
        // Bodies are read before the token can be checked, so there are fewer and smaller ones than on the socket.
        let limits = HTTPServer.Limits(maxBodyBytes: 4 << 20, maxConnections: 128)
        let server = HTTPServer(address: address, limits: limits) { [handler] request, _ in
            // Digests of equal length are compared, so that the time taken says nothing of the token.
            let words = (request.fields["authorization"] ?? "").split(separator: " ", maxSplits: 1)
            let isBearer = words.first?.lowercased() == "bearer"
            let given = SecretBox.sha256(Array((words.last ?? "").utf8))
            guard isBearer, given == expected else {
                return APIHandler.failure(
                    APIProblem(
                        .unauthorized, "this address needs the server's token",
                        hint: "set MICROSTAX_API_KEY, or send `authorization: Bearer msx_…`"),
                    requestID: "req_refused")
            }
            return await handler.handle(request, actor: "token")
        }
        try await server.run { log.info("listening", metadata: ["address": "\($0)"]) }
    }

    private func announce() throws {
        let announcement = ServerAnnouncement(
            pid: getpid(), startTime: DetachedProcess.current.startTime, socket: socket,
            version: configuration.version)
        try ServerFolder.write(try JSONEncoder().encode(announcement), to: folder.announcement)
    }
}
