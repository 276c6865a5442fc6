import Blueprints
import EnvironmentGraph
import Runtimes
import Storage

/// Carries out one step. Every action may be repeated after a crash; what it finds done already, it leaves alone.
package struct StepActions: Sendable {
    let store: any Store
    let runtime: any Runtime
    let routes: any RoutePublishing
    let secrets: any SecretOpening
    let board: StatusBoard
    let allocator: PortAllocator
    let outside: Outside

    package init(
        store: any Store, runtime: any Runtime, routes: any RoutePublishing, secrets: any SecretOpening,
        board: StatusBoard, allocator: PortAllocator, outside: Outside
    ) {
        self.store = store
        self.runtime = runtime
        self.routes = routes
        self.secrets = secrets
        self.board = board
        self.allocator = allocator
        self.outside = outside
    }

    /// - Parameter report: tells what the step waits for just now; shown while it runs.
    func perform(
        _ action: PlannedStep.Action, on id: EnvironmentID, _ fence: Fence, report: @Sendable (String) async -> Void
    ) async throws {
        switch action {
        case .allocatePorts: try await allocatePorts(id, fence)
        case .trimPorts: try await trimPorts(id, fence)
        case .publishRoutes: try await publishRoutes(id)
        case .closeRoutes: try await routes.publish()
        case .openRoutes: try await openRoutes(id, fence)
        case .startService(let name): try await start(name, id)
        case .awaitService(let name): try await awaitReady(name, id, report: report)
        case .initialise(let name, let index): try await initialise(name, index, id, fence, report: report)
        case .stopService(let name): try await runtime.stop(name, of: id)
        case .stopStrays: try await stopStrays(id)
        case .removeResources: try await removeResources(id)
        case .releasePorts: try await release(id, fence)
        case .discard:
            try await removeResources(id)
            try await release(id, fence)
        }
    }

    /// Whether a step that was interrupted may simply run again.
    package static func isRepeatable(_ record: EnvironmentRecord?) -> (PlannedStep) -> Bool {
        { step in
            guard case .initialise(let name, let index) = step.action,
                let record, let service = record.spec.service(name), service.initialisers.indices.contains(index)
            else { return true }
            // It is noted as done; running it again does nothing.
            if index < record.initialisersDone(of: name) { return true }
            // SQL keeps its ledger inside the database, in the same transaction.
            if case .sql = service.initialisers[index] { return true }
            return false
        }
    }

    func environment(_ id: EnvironmentID) async throws -> EnvironmentRecord {
        guard let record = try await store.read({ try $0.environment(id) }) else {
            throw StepFailure("the environment \(id) does not exist any more")
        }
        return record
    }

    /// - Returns: the rendering of every local service, with what is stored now.
    package func rendering(of record: EnvironmentRecord) async throws -> WorkloadRendering {
        let ports = try await store.read { try $0.ports(of: record.id) }
        return WorkloadRendering(record, ports: ports, secrets: try await secrets.secrets(of: record.id))
    }

    /// - Parameter name: of the service, or of one of its instances.
    func service(_ name: String, in record: EnvironmentRecord) throws -> ServiceSpec {
        guard let service = record.spec.service(serviceName(ofInstance: name)) else {
            throw StepFailure("\(record.name) has no service \(name)")
        }
        return service
    }

    private func allocatePorts(_ id: EnvironmentID, _ fence: Fence) async throws {
        let record = try await environment(id)
        let (allocator, now) = (allocator, outside.now())
        try await store.write { store in
            try fence.check(store)
            try allocator.allocate(for: record, at: now, in: store)
        }
    }

    private func trimPorts(_ id: EnvironmentID, _ fence: Fence) async throws {
        let now = outside.now()
        try await store.write { store in
            try fence.check(store)
            guard let record = try store.environment(id) else { return }
            try PortAllocator.trim(record, at: now, in: store)
        }
        try await routes.publish()
    }

    private func publishRoutes(_ id: EnvironmentID) async throws {
        let refused = try await routes.publish()
        let mine = try await store.read { try $0.ports(of: id) }.map(\.number)
        if let port = mine.first(where: { refused[$0] != nil }), let reason = refused[port] {
            throw StepFailure("the gateway cannot listen on port \(port): \(reason)")
        }
    }

    private func openRoutes(_ id: EnvironmentID, _ fence: Fence) async throws {
        let now = outside.now()
        try await store.write { store in
            try fence.check(store)
            guard var record = try store.environment(id) else { return }
            record.volumesAreMade()
            try store.move(&record, to: .running, at: now)
        }
        try await routes.publish()
        board.ring(id)
    }

    private func start(_ name: String, _ id: EnvironmentID) async throws {
        let record = try await environment(id)
        let service = try service(name, in: record)
        try await runtime.apply(try await rendering(of: record).workload(service, instance: name))
    }

    private func stopStrays(_ id: EnvironmentID) async throws {
        let record = try await environment(id)
        let wanted = record.state == .stopping ? [] : Set(record.localServices.flatMap(\.instances))
        for status in try await runtime.observe(id) where status.state != .stopped && !wanted.contains(status.service) {
            try await runtime.stop(status.service, of: id)
        }
    }

    private func awaitReady(
        _ name: String, _ id: EnvironmentID, report: @Sendable (String) async -> Void
    ) async throws {
        try await untilReady(name, id, report: report)
        try await routes.publish()
    }

    func untilReady(_ name: String, _ id: EnvironmentID, report: @Sendable (String) async -> Void) async throws {
        // What is said of an earlier generation is history.
        let generation = try await environment(id).generation(of: serviceName(ofInstance: name))
        var reported: String?
        for await _ in board.changes(of: id) {
            guard let status = board.status(of: name, in: id), status.generation >= generation else { continue }
            // A wait has no limit of its own: the runtime fails a service whose probe's limit passes, and the watcher
            // applies again what the runtime lost.
            switch status.state {
            case .ready: return
            case .failed, .stopped:
                throw StepFailure(Self.describe(status))
            case .pending, .building, .starting, .unhealthy, .restarting:
                let message = status.message ?? status.state.rawValue
                if message != reported { await report(message) }
                reported = message
            }
        }
        throw CancellationError()
    }

    /// Why a service failed, with the last lines of its output.
    package static func describe(_ status: WorkloadStatus) -> String {
        let reason = status.message ?? "ended with exit code \(status.exitCode.map(String.init) ?? "unknown")"
        guard !status.lastOutput.isEmpty else { return reason }
        return ([reason, "last output:"] + status.lastOutput.map { "  " + $0 }).joined(separator: "\n")
    }

    private func removeResources(_ id: EnvironmentID) async throws {
        try await runtime.delete(id)
        board.forget(id)
    }

    private func release(_ id: EnvironmentID, _ fence: Fence) async throws {
        let now = outside.now()
        try await store.write { store in
            try fence.check(store)
            if var record = try store.environment(id) { try store.move(&record, to: .deleted, at: now) }
            try PortAllocator.release(id, at: now, in: store)
            try store.removeEnvironment(id)
        }
        try await routes.publish()
        board.ring(id)
    }
}
