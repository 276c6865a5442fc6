import API
import EnvironmentGraph
import Foundation
import Gateway
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
    let configuration: ServerConfiguration
    let folder: ServerFolder
    let store: SQLiteStore
    let gateway: GatewayKeeper
    let routes: RoutePublisher
    let orchestrator: Orchestrator
    let lifecycles: LifecycleKeeper
    private let waker: Waker
    private let calls: CallKeeper
    let handler: APIHandler
    private let vitals: Vitals
    private let readiness: Readiness
    let socket: String
    let log: Logger

    /// Takes the state folder and opens what is in it.
    ///
    /// - Throws: ``StoreError`` with what to do about it.
    package init(_ configuration: ServerConfiguration, outside: Outside, log: Logger) throws {
        self.configuration = configuration
        self.log = log
        folder = try ServerFolder(path: configuration.folder)
        try folder.take()
        store = try SQLiteStore(path: folder.store)
        let metrics = MetricsBook()
        let measured = MeasuredStore(store: store, metrics: metrics)
        var outside = outside
        outside.happened = { metrics.engine($0) }
        let box = try SecretBox(keyFile: folder.key)
        let board = StatusBoard()
        let runtime = ProcessRuntime(
            root: folder.environments, supervisorCommand: [configuration.executable, "supervise"])
        gateway = GatewayKeeper(
            folder: folder, executable: configuration.executable, edgePort: configuration.edgePort,
            tls: configuration.edgeTLS, otlp: configuration.otlp,
            log: log)
        routes = RoutePublisher(store: measured, board: board, gateway: gateway, now: outside.now, log: log)
        socket = folder.socket
        let start = outside.now()
        let startedAt = timestamp(start)
        let desk = ControlDesk(
            store: measured, runtime: runtime, routes: routes, board: board, gateway: gateway, box: box,
            ports: configuration.ports, region: configuration.region, outside: outside, log: log
        ) { [gateway, configuration] in
            HealthView(
                version: configuration.version, pid: getpid(), startedAt: startedAt, folder: configuration.folder,
                gateway: await gateway.health(), edgePort: gateway.edgePort)
        }
        orchestrator = desk.orchestrator
        lifecycles = desk.lifecycles
        calls = desk.calls
        waker = Waker(
            gateway: gateway, store: measured,
            actions: LifecycleActions(
                store: measured, board: board, orchestrator: orchestrator, outside: outside,
                actor: LifecycleActions.gateway), log: log)
        vitals = Vitals(
            Self.organs(socket: socket, store: store, orchestrator: orchestrator), period: configuration.pulse)
        readiness = Readiness(store: measured, vitals: vitals, gateway: gateway, routes: routes, now: outside.now)
        var handler = desk.handler
        handler.readiness = { [readiness] in await readiness.parts() }
        let place = TracePlace(
            machine: TracePlace.thisMachine, folder: URL(filePath: folder.gateway).path)
        handler.tableNews = { [routes] in
            var news = await routes.news(after: $0, within: $1)
            news.traces = place
            return news
        }
        handler.metrics = metrics
        let exposition = ServerMetrics(
            book: metrics, store: store, board: board, gateway: gateway, routes: routes, readiness: readiness,
            version: configuration.version, startedAt: start)
        handler.exposition = { try await exposition.text() }
        if configuration.opensMetrics { handler.openOperations.insert(.metrics) }
        self.handler = handler
    }

    /// What the server consists of. An error is an answer: a full disk is nothing that a restart would mend.
    private static func organs(socket: String, store: SQLiteStore, orchestrator: Orchestrator) -> [Vitals.Organ] {
        [
            Vitals.Organ("event loop") {
                // No path of the API: the answer is a refusal that touches nothing else.
                _ = try await HTTPClient(.unix(path: socket)).send(HTTPRequest("GET", "/"), timeout: .seconds(60))
            },
            Vitals.Organ("store") {
                _ = try? await store.read { try $0.setting("server.probe") }
                // An empty transaction takes the writer's turn and writes nothing.
                _ = try? await store.write { _ in }
            },
            Vitals.Organ("orchestrator") { await orchestrator.pulse() },
        ]
    }

    /// Serves until the calling task is cancelled; then lets requests in flight end, lets executions stop at a checkpoint,
    /// closes the store and returns.
    ///
    /// - Parameters:
    ///   - manager: is told when the server is ready, alive and stopping.
    ///   - onReady: called once, when the server answers.
    package func run(manager: ServiceManager = .none, onReady: @escaping @Sendable () -> Void) async throws {
        try await gateway.ensureRunning()
        try await orchestrator.start()
        await readiness.tookUp()
        defer { store.close() }
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await gateway.run() }
                group.addTask { await routes.run() }
                group.addTask { await lifecycles.run() }
                group.addTask { await waker.run() }
                group.addTask { await calls.run() }
                group.addTask { try await serveOwner(manager, onReady: onReady) }
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
        log.info("stopped")
    }

    /// From when the server answers until cancelled.
    func watchOverItself(_ manager: ServiceManager) async {
        let reports = ManagerReports(
            manager: manager, vitals: vitals,
            missing: { [readiness] in
                await readiness.parts().compactMap { part in part.reason.map { "\(part.name) \($0)" } }
            }, place: configuration.folder, pid: getpid(), log: log)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await vitals.run() }
            if manager.isPresent { group.addTask { await reports.run() } }
        }
    }
}
