import Blueprints
import EnvironmentGraph
import Logging
import SQLiteStore
import Storage
import Synchronization
import TestSupport

@testable import Orchestration

/// A keeper of lifecycles over a real store, with a clock, a gateway and a control plane that the test plays.
final class LifecycleStage: Sendable {
    /// Friday, 20 November 2026, 12:00 UTC.
    static let noon: Int64 = 1_795_176_000_000

    let store: any Store
    let board = StatusBoard()
    let gateway = PlayedActivity()
    let acts: PlayedActs
    private let time = Mutex((wall: noon, steady: Int64(0)))

    init(store: any Store) {
        self.store = store
        acts = PlayedActs(store: store, board: board)
    }

    static func with(_ body: (LifecycleStage) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let store = try SQLiteStore(path: folder + "/store.sqlite")
            defer { store.close() }
            try await body(LifecycleStage(store: store))
        }
    }

    var now: Int64 { time.withLock { $0.wall } }

    func pass(_ milliseconds: Int64) {
        time.withLock { $0 = ($0.wall + milliseconds, $0.steady + milliseconds) }
        acts.now.withLock { $0 = self.now }
    }

    /// Somebody sets the clock.
    func jump(_ milliseconds: Int64) {
        time.withLock { $0.wall += milliseconds }
        acts.now.withLock { $0 = self.now }
    }

    /// A server that starts.
    func keeper() -> LifecycleKeeper {
        LifecycleKeeper(
            store: store, board: board, activity: gateway, acting: acts,
            outside: Outside(now: { self.now }, token: { "t" }, isPortFree: { _ in true }),
            steady: { self.time.withLock { $0.steady } }, log: Logger(label: "test"))
    }

    @discardableResult
    func add(_ name: String, _ lifecycle: LifecycleSpec, on parent: EnvironmentRecord? = nil) async throws
        -> EnvironmentRecord
    {
        let record = try Self.record(name, lifecycle, on: parent, now: now)
        try await store.write { try $0.save(record) }
        board.ring(record.id)
        return record
    }

    static func record(
        _ name: String, _ lifecycle: LifecycleSpec, on parent: EnvironmentRecord? = nil, now: Int64
    ) throws -> EnvironmentRecord {
        let spec = BlueprintSpec(
            name: name, services: [ServiceSpec(name: "a", command: ["a"])], lifecycle: lifecycle)
        var record = EnvironmentRecord(
            id: EnvironmentID(rawValue: "env-" + name), name: name, mode: parent == nil ? .baseline : .overlay,
            spec: spec, difference: .between(request: spec, parent: nil), overlayID: parent == nil ? nil : name,
            parent: parent.map { .init(id: $0.id, name: $0.name, revision: 1) }, createdAt: now)
        record.renewExpiry(now: now, isNew: true)
        try record.move(to: .provisioning)
        try record.move(to: .running)
        return record
    }

    func change(_ id: EnvironmentID, _ body: @escaping @Sendable (inout EnvironmentRecord) throws -> Void) async throws
    {
        try await store.write { store in
            guard var record = try store.environment(id) else { throw NeverHappened(description: "no \(id)") }
            try body(&record)
            try store.save(record)
        }
        board.ring(id)
    }

    func events(of id: EnvironmentID) async throws -> [String] {
        try await store.read { try $0.events(of: id, after: nil, limit: 100).map(\.message) }
    }
}

/// A gateway that says what the test says.
final class PlayedActivity: ActivitySource {
    private let state = Mutex<(report: ActivityReport?, asked: Int)>((ActivityReport(since: 0), 0))

    var asked: Int { state.withLock { $0.asked } }

    /// `nil`: it does not answer.
    func set(_ report: ActivityReport?) { state.withLock { $0.report = report } }

    func activity() async throws -> ActivityReport {
        try state.withLock { state in
            state.asked += 1
            guard let report = state.report else { throw StepFailure("the gateway does not answer") }
            return report
        }
    }
}

/// Does at once what the control plane and the orchestrator would do.
final class PlayedActs: LifecycleActing {
    let now = Mutex(LifecycleStage.noon)
    private let store: any Store
    private let board: StatusBoard
    private let state = Mutex<(done: [String], refusal: String?)>(([], nil))

    init(store: any Store, board: StatusBoard) {
        self.store = store
        self.board = board
    }

    var done: [String] { state.withLock { $0.done } }
    func refuse(_ why: String?) { state.withLock { $0.refusal = why } }

    func carryOut(
        _ command: EnvironmentCommand, on id: EnvironmentID, reason: String,
        holds: @escaping @Sendable (EnvironmentRecord) -> Bool
    ) async throws {
        if let why = state.withLock({ $0.refusal }) { throw StepFailure(why) }
        let now = now.withLock { $0 }
        let isDone = try await store.write { store in
            guard var record = try store.environment(id), holds(record) else { return false }
            switch command {
            case .stop:
                try record.move(to: .stopping)
                try record.move(to: .stopped, message: reason)
            case .resume:
                try record.move(to: .resuming)
                try record.move(to: .running)
            default:
                try store.removeEnvironment(id)
                return true
            }
            try store.save(record)
            try store.save(
                ExecutionRecord(
                    id: ExecutionID(rawValue: "exe-\(id)-\(now)"), environment: id,
                    kind: command == .stop ? .stop : .resume, state: .succeeded, steps: [], createdAt: now))
            return true
        }
        guard isDone else { return }
        state.withLock { $0.done.append("\(command.rawValue) \(id): \(reason)") }
        board.ring(id)
    }
}
