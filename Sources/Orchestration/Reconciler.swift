import Blueprints
import EnvironmentGraph
import Logging
import Runtimes
import Storage
import Synchronization

/// Follows what the runtime says of every watched environment: puts it on the board, keeps the routes equal to what is
/// ready, moves environments between `running` and `degraded`, and applies again what the runtime has lost.
///
/// It looks at what changed, and at nothing else: an environment in which nothing happens costs a task that waits for its
/// runtime. While something of it is missing it has a second task, which mends. Level-triggered all the same: a slow
/// sweep compares every environment with the board, so that whatever slipped through is found within its period.
final class Reconciler: Sendable {
    private struct Watch {
        /// Ended by ``unwatch(_:)`` or ``stop()``.
        var follower: Task<Void, Never>
        /// Only while something is missing; ends by itself.
        var mender: Task<Void, Never>?
        /// Something happened since the mender last looked.
        var isDirty = false
    }

    private struct State {
        var watches: [EnvironmentID: Watch] = [:]
        var isStopped = false
    }

    /// What the runtime lost is applied again when it is still lost after so long, so that what is only just on its way
    /// is left alone; and then again and again.
    private static let firstPause = Duration.milliseconds(500)
    private static let mendingPause = Duration.seconds(2)

    private let actions: StepActions
    private let log: Logger
    private let state = Mutex(State())

    init(actions: StepActions, log: Logger) {
        self.actions = actions
        self.log = log
    }

    // MARK: What is watched

    /// Nothing where it is watched already.
    func watch(_ id: EnvironmentID) {
        state.withLock { state in
            guard state.watches[id] == nil, !state.isStopped else { return }
            state.watches[id] = Watch(follower: Task { await self.follow(id) })
        }
    }

    /// Returns when nothing asks the runtime for it any more.
    func unwatch(_ id: EnvironmentID) async {
        guard let watch = state.withLock({ $0.watches.removeValue(forKey: id) }) else { return }
        await Self.end([watch])
    }

    func stop() async {
        let watches = state.withLock { state in
            state.isStopped = true
            defer { state.watches = [:] }
            return Array(state.watches.values)
        }
        await Self.end(watches)
    }

    private static func end(_ watches: [Watch]) async {
        for watch in watches {
            watch.follower.cancel()
            watch.mender?.cancel()
        }
        for watch in watches {
            await watch.follower.value
            await watch.mender?.value
        }
    }

    /// Something about a watched environment has changed that the runtime does not tell of, such as its record.
    func look(at id: EnvironmentID) {
        state.withLock { state in
            guard state.watches[id] != nil, !state.isStopped else { return }
            state.watches[id]?.isDirty = true
            guard state.watches[id]?.mender == nil else { return }
            state.watches[id]?.mender = Task { await self.mend(id) }
        }
    }

    // MARK: Following

    /// Until cancelled. A runtime that cannot be reached is asked again, with growing pauses up to 5 s.
    private func follow(_ id: EnvironmentID) async {
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled {
            do {
                for try await statuses in actions.runtime.changes(of: id) {
                    pause = .milliseconds(50)
                    let before = actions.board.ready(in: id)
                    actions.board.set(statuses, of: id)
                    if before != actions.board.ready(in: id) { actions.routes.isStale() }
                    // Records of many services are read only where something may be wrong.
                    guard let outline = try await actions.store.read({ try $0.outline(of: id) }),
                        Self.needsALook(outline, statuses),
                        let record = try await actions.store.read({ try $0.environment(id) })
                    else { continue }
                    try await judge(statuses, of: record)
                    if !Self.lost(statuses, of: record).isEmpty { look(at: id) }
                }
            } catch is CancellationError {
                return
            } catch {
                log.warning("lost sight of an environment", metadata: ["environment": "\(id)", "error": "\(error)"])
            }
            // Cancelled: the loop's condition sees it.
            try? await actions.outside.sleep(pause)
            pause = min(pause * 2, .seconds(5))
        }
    }

    // MARK: Mending

    /// Until nothing is missing.
    private func mend(_ id: EnvironmentID) async {
        var seen: Set<String> = []
        while !Task.isCancelled {
            state.withLock { $0.watches[id]?.isDirty = false }
            var pause = Self.mendingPause
            do {
                let missing = try await mendOnce(id, seen: seen)
                if missing.isEmpty, isMended(id) { return }
                pause = missing.isSubset(of: seen) ? (missing.isEmpty ? .zero : pause) : Self.firstPause
                seen = missing
            } catch is CancellationError {
                return
            } catch {
                log.warning("could not reconcile", metadata: ["environment": "\(id)", "error": "\(error)"])
            }
            // Cancelled: the loop's condition sees it.
            try? await actions.outside.sleep(pause)
        }
    }

    /// - Returns: what is missing; of that, what was `seen` before was applied again.
    private func mendOnce(_ id: EnvironmentID, seen: Set<String>) async throws -> Set<String> {
        // Nothing was heard of it yet.
        guard actions.board.ready(in: id) != nil else { return [] }
        guard let record = try await actions.store.read({ try $0.environment(id) }) else { return [] }
        actions.outside.happened(.looked)
        let statuses = actions.board.statuses(of: id)
        try await judge(statuses, of: record)
        let missing = Self.lost(statuses, of: record, started: try await started(record))
        let due = missing.filter(seen.contains)
        guard !due.isEmpty else { return Set(missing) }
        let rendering = try await actions.rendering(of: record)
        for instance in due {
            log.warning("applying again", metadata: ["environment": "\(record.name)", "service": "\(instance)"])
            let service = try actions.service(instance, in: record)
            try await actions.runtime.apply(try rendering.workload(service, instance: instance))
            actions.outside.happened(.appliedAgain)
        }
        return Set(missing)
    }

    /// - Returns: false where something happened while it was looked at; else the mender is gone.
    private func isMended(_ id: EnvironmentID) -> Bool {
        state.withLock { state in
            guard state.watches[id]?.isDirty != true else { return false }
            state.watches[id]?.mender = nil
            return true
        }
    }

    /// The services that an execution under way has started: they should be there, although the environment does not run
    /// yet.
    private func started(_ record: EnvironmentRecord) async throws -> Set<String> {
        guard record.state.isTransient else { return [] }
        let execution = try await actions.store.read { try $0.lastExecution(of: record.id) }
        guard let execution, !execution.state.isFinal else { return [] }
        return Set(
            execution.steps.filter { $0.state == .succeeded }.compactMap { step in
                if case .startService(let name) = step.plan.action { name } else { nil }
            })
    }

    // MARK: Sweeping

    /// Compares every environment with the board.
    func sweep() async throws {
        for outline in try await actions.store.read({ try $0.outlines() }) {
            if Self.needsALook(outline, actions.board.statuses(of: outline.id)) { look(at: outline.id) }
        }
    }

    /// Cheap: of ten thousand environments in which all is well it must cost next to nothing.
    private static func needsALook(_ outline: EnvironmentOutline, _ statuses: [WorkloadStatus]) -> Bool {
        switch outline.state {
        case .running:
            guard let wanted = outline.wantedInstances else { return true }
            return statuses.count < wanted || statuses.contains { $0.state != .ready }
        case .degraded, .provisioning, .resuming, .updating: return true
        default: return false
        }
    }

    // MARK: Judging

    /// What should run and is not there, or waits to be told again (a supervisor that was killed has lost the secrets).
    /// While an environment is being created, what is not there and was not `started` is simply not started yet.
    static func lost(
        _ statuses: [WorkloadStatus], of record: EnvironmentRecord, started: Set<String> = []
    ) -> [String] {
        guard [.provisioning, .resuming, .updating, .running, .degraded].contains(record.state) else { return [] }
        let allShouldRun = [.running, .degraded].contains(record.state)
        return record.localServices.flatMap(\.instances).filter { instance in
            let state = statuses.first { $0.service == instance }?.state
            return state == .pending || state == nil && (allShouldRun || started.contains(instance))
        }
    }

    /// `degraded` while a local service is not ready, with the first reason.
    private func judge(_ statuses: [WorkloadStatus], of record: EnvironmentRecord) async throws {
        guard [.running, .degraded].contains(record.state) else { return }
        let missing = record.localServices.flatMap(\.instances).first { name in
            statuses.first { $0.service == name }?.state != .ready
        }
        let reason = missing.map { name in
            let status = statuses.first { $0.service == name }
            return "\(name) is \(status?.state.rawValue ?? "not running")" + (status?.message.map { ": \($0)" } ?? "")
        }
        let next: EnvironmentState = missing == nil ? .running : .degraded
        guard record.state != next || record.message != reason else { return }
        let (id, now) = (record.id, actions.outside.now())
        try await actions.store.write { store in
            guard var record = try store.environment(id), [.running, .degraded].contains(record.state) else { return }
            try store.move(&record, to: next, message: reason, at: now)
        }
        actions.board.ring(id)
    }
}
