import Blueprints
import EnvironmentGraph
import Logging
import Orchestration
import SQLiteStore
import Storage
import Synchronization
import TestSupport

/// An orchestrator over a real store in a temporary folder and a scripted runtime.
struct Workbench: Sendable {
    let store: any Store
    let runtime: ScriptedRuntime
    let board: StatusBoard
    let routes: CountingRoutes
    let orchestrator: Orchestrator

    static func with<T>(_ body: (Workbench) async throws -> T) async throws -> T {
        try await withTemporaryFolder { folder in
            let store = try SQLiteStore(path: folder + "/store.sqlite")
            let bench = Workbench(store: store, runtime: ScriptedRuntime())
            do {
                let result = try await body(bench)
                await bench.orchestrator.stop()
                store.close()
                return result
            } catch {
                await bench.orchestrator.stop()
                store.close()
                throw error
            }
        }
    }

    /// - Parameter runtime: shared between two of them to look like a server that died.
    init(store: any Store, runtime: ScriptedRuntime) {
        self.store = store
        self.runtime = runtime
        board = StatusBoard()
        routes = CountingRoutes()
        let counter = Counter()
        let outside = Outside(
            now: { Int64(counter.next()) }, token: { "t\(counter.next())" }, isPortFree: { _ in true })
        let actions = StepActions(
            store: store, runtime: runtime, routes: routes, secrets: NoSecrets(store: store), board: board,
            allocator: PortAllocator(isFree: { _ in true }), outside: outside)
        orchestrator = Orchestrator(actions: actions, log: Logger(label: "test"))
    }

    /// Stores an environment with its create execution, as the control plane does.
    func accept(
        _ services: [ServiceSpec], files: [String: String] = [:], repair: RepairPolicy = .auto
    ) async throws -> ExecutionRecord {
        var spec = BlueprintSpec(name: "shop", services: services)
        spec.repair = repair
        let difference = Difference.between(request: spec, parent: nil)
        let record = EnvironmentRecord(
            id: EnvironmentID(rawValue: "env-shop"), name: "shop", mode: .baseline, spec: spec, difference: difference,
            createdAt: 1)
        let execution = ExecutionRecord(
            id: ExecutionID(rawValue: "exe-create"), environment: record.id, kind: .create,
            steps: Planner.create(record).steps.map { StepRecord(plan: $0) }, createdAt: 1)
        try await store.write { store in
            try store.save(record)
            try store.save(
                RevisionRecord(
                    environment: record.id, number: 1, source: "", composed: "", files: files, createdAt: 1))
            try store.save(execution)
        }
        return execution
    }

    func acceptDeletion() async throws -> ExecutionRecord {
        let record = try await environment()
        let execution = ExecutionRecord(
            id: ExecutionID(rawValue: "exe-delete"), environment: record.id, kind: .delete,
            steps: Planner.delete(record).steps.map { StepRecord(plan: $0) }, createdAt: 2)
        try await store.write { store in
            var record = record
            try store.accept(execution, of: &record, at: 2)
        }
        return execution
    }

    func environment() async throws -> EnvironmentRecord {
        let record = try await store.read { try $0.environment(named: "shop") }
        guard let record else { throw NeverHappened(description: "the environment is gone") }
        return record
    }

    func execution(_ id: ExecutionID) async throws -> ExecutionRecord {
        guard let record = try await store.read({ try $0.execution(id) }) else {
            throw NeverHappened(description: "there is no execution \(id)")
        }
        return record
    }

    /// Waits until the execution is final.
    func ended(_ id: ExecutionID) async throws -> ExecutionRecord {
        try await eventually("the end of \(id)") {
            let record = try await execution(id)
            return record.state.isFinal ? record : nil
        }
    }
}

final class CountingRoutes: RoutePublishing {
    private let counter = Counter()
    var count: Int { counter.value }
    func publish() async throws -> [Int: String] {
        _ = counter.next()
        return [:]
    }

    func isStale() { _ = counter.next() }
}

/// Keeps nothing secret: files are stored as they are.
struct NoSecrets: SecretOpening {
    let store: any Store

    func file(_ path: String, of environment: EnvironmentID, revision: Int) async throws -> String? {
        try await store.read { try $0.revision(revision, of: environment)?.files[path] }
    }

    func secrets(of environment: EnvironmentID) async throws -> [String: String] { [:] }
}

final class Counter: Sendable {
    private let state = Mutex(0)
    var value: Int { state.withLock { $0 } }
    func next() -> Int {
        state.withLock { count in
            count += 1
            return count
        }
    }
}
