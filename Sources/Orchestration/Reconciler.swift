import Blueprints
import EnvironmentGraph
import Logging
import Runtimes
import Storage
import Synchronization

/// Follows what the runtime says of every watched environment: puts it on the board, keeps the routes equal to what is
/// ready, moves environments between `running` and `degraded`, records deviations and mends them.
///
/// It looks at what changed, and at nothing else: an environment in which nothing happens costs a task that waits for its
/// runtime. While something of it is amiss it has a second task, which mends. Level-triggered all the same: a slow sweep
/// compares every environment with the board, and a few at a time with what the runtime keeps, so that whatever slipped
/// through is found.
final class Reconciler: Sendable {
    struct Watch {
        /// Ended by ``unwatch(_:)`` or ``stop()``.
        var follower: Task<Void, Never>
        /// Only while something is missing; ends by itself.
        var mender: Task<Void, Never>?
        /// Something happened since the mender last looked.
        var isDirty = false
        /// Processes that ended since the mender last looked.
        var newEnds: [ProcessEnds.End] = []
        var ends = ProcessEnds()
        /// Whether deviations of it are recorded as open: then every change may be their end.
        var hasOpenDeviations = false
    }

    struct State {
        var watches: [EnvironmentID: Watch] = [:]
        var isStopped = false
        /// Where the sweep goes on to look closely.
        var nextClosely = 0
        /// The last search saw something of an environment that nobody knows, for the first time.
        var hasStrangers = false
    }

    /// So many environments in which all seems well are looked at closely in one sweep.
    private static let closelyPerSweep = 40

    let actions: StepActions
    let log: Logger
    let state = Mutex(State())
    /// Has an execution worked on that reconciling made.
    let submit: @Sendable (ExecutionRecord) async -> Void
    private let orphans: OrphanSearch

    init(actions: StepActions, log: Logger, submit: @escaping @Sendable (ExecutionRecord) async -> Void) {
        self.actions = actions
        self.log = log
        self.submit = submit
        orphans = OrphanSearch(actions: actions, log: log)
    }

    // MARK: What is watched

    /// Nothing where it is watched already.
    func watch(_ id: EnvironmentID, hasOpenDeviations: Bool = true) {
        state.withLock { state in
            guard state.watches[id] == nil, !state.isStopped else { return }
            state.watches[id] = Watch(
                follower: Task { await self.follow(id) }, hasOpenDeviations: hasOpenDeviations)
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
                    let before = actions.board.statuses(of: id)
                    let wasHeard = actions.board.isHeard(id)
                    actions.board.set(statuses, of: id)
                    if !wasHeard || Self.ready(before) != Self.ready(statuses) { actions.routes.isStale() }
                    let isOpen = note(DeviationFinder.ends(from: before, to: statuses), of: id)
                    // Records of many services are read only where something may be wrong.
                    guard let outline = try await actions.store.read({ try $0.outline(of: id) }),
                        isOpen || Self.needsALook(outline, statuses)
                    else { continue }
                    guard let basis = try await basis(id) else { continue }
                    try await judge(statuses, basis, basis.open)
                    if isOpen || isAmiss(statuses, of: basis.record) { look(at: id) }
                }
            } catch is CancellationError {
                return
            } catch {
                log.warning("lost sight of an environment", metadata: ["environment": "\(id)", "error": "\(error)"])
                look(at: id)
            }
            // Cancelled: the loop's condition sees it.
            try? await actions.outside.sleep(pause)
            pause = min(pause * 2, .seconds(5))
        }
    }

    /// - Returns: whether the environment needs a look for them, or for what is open already.
    private func note(_ ends: [ProcessEnds.End], of id: EnvironmentID) -> Bool {
        state.withLock { state in
            state.watches[id]?.newEnds += ends
            return !ends.isEmpty || state.watches[id]?.hasOpenDeviations == true
        }
    }

    private static func ready(_ statuses: [WorkloadStatus]) -> [String] {
        statuses.filter { $0.state == .ready }.map(\.service)
    }

    private func isAmiss(_ statuses: [WorkloadStatus], of record: EnvironmentRecord) -> Bool {
        guard [.running, .degraded].contains(record.state) else { return !Self.lost(statuses, of: record).isEmpty }
        return !DeviationFinder.findings(record, statuses, [], loops: [:]).isEmpty
    }

    // MARK: What is wanted

    /// What an environment is compared with. What is wanted of one that runs changes by executions only.
    struct Basis: Sendable {
        var record: EnvironmentRecord
        var deviations: [DeviationRecord]
        /// The last one, without its steps.
        var execution: ExecutionRecord?

        var open: [DeviationRecord] { deviations.filter { $0.state == .open } }

        func holds(in store: any StoreReading) throws -> Bool {
            try store.lastExecutionID(of: record.id) == execution?.id
        }
    }

    /// `nil` where there is no such environment any more.
    func basis(_ id: EnvironmentID) async throws -> Basis? {
        try await actions.store.read { store in
            guard let record = try store.environment(id) else { return nil }
            return Basis(
                record: record, deviations: try store.deviations(of: id),
                execution: try store.lastExecutionWithoutSteps(of: id))
        }
    }

    // MARK: Sweeping

    /// Compares every environment with the board, and some of them with what their runtime keeps.
    ///
    /// - Parameter round: how many sweeps there were before.
    func sweep(round: Int) async throws {
        let outlines = try await actions.store.read { try $0.outlines() }
        var calm: [EnvironmentOutline] = []
        for outline in outlines {
            if Self.needsALook(outline, actions.board.statuses(of: outline.id)) {
                look(at: outline.id)
            } else if [.running, .stopped].contains(outline.state) {
                calm.append(outline)
            }
        }
        let start = state.withLock { state in
            defer { state.nextClosely += Self.closelyPerSweep }
            return calm.isEmpty ? 0 : state.nextClosely % calm.count
        }
        for offset in 0..<min(calm.count, Self.closelyPerSweep) {
            let outline = calm[(start + offset) % calm.count]
            let runsSomething = outline.state != .stopped && outline.wantedInstances != 0
            if runsSomething { look(at: outline.id) } else { try await lookUnwatched(outline.id) }
        }
        if round.isMultiple(of: Self.roundsOfOrphans) || state.withLock({ $0.hasStrangers }) {
            let found = try await orphans.search()
            state.withLock { $0.hasStrangers = found }
        }
    }

    private static let roundsOfOrphans = 4

    /// Cheap: of ten thousand environments in which all is well it must cost next to nothing.
    private static func needsALook(_ outline: EnvironmentOutline, _ statuses: [WorkloadStatus]) -> Bool {
        switch outline.state {
        case .running:
            guard let wanted = outline.wantedInstances else { return true }
            // What was stopped when it was not wanted any more is remembered for long.
            let there = statuses.filter { $0.state != .stopped }
            return there.count != wanted || there.contains { $0.state != .ready }
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
        guard [.provisioning, .resuming, .updating].contains(record.state) else { return [] }
        return record.localServices.flatMap(\.instances).filter { instance in
            let state = statuses.first { $0.service == instance }?.state
            return state == .pending || state == nil && started.contains(instance)
        }
    }

    /// `degraded` while a local service is not ready, or a deviation makes its answers doubtful; with the first reason.
    ///
    /// - Parameter basis: read before the statuses; where anything else is wanted by now, nothing is said.
    func judge(_ statuses: [WorkloadStatus], _ basis: Basis, _ open: [DeviationRecord]) async throws {
        let record = basis.record
        guard [.running, .degraded].contains(record.state) else { return }
        let doubtful = open.first { [.crashLoop, .volumeMissing, .workloadChanged].contains($0.kind) }
        let missing = record.localServices.flatMap(\.instances).first { name in
            statuses.first { $0.service == name }?.state != .ready
        }
        let unready = missing.map { name in
            let status = statuses.first { $0.service == name }
            return "\(name) is \(status?.state.rawValue ?? "not running")" + (status?.message.map { ": \($0)" } ?? "")
        }
        let reason = doubtful?.message ?? unready
        let next: EnvironmentState = reason == nil ? .running : .degraded
        guard record.state != next || record.message != reason else { return }
        let (id, now) = (record.id, actions.outside.now())
        try await actions.store.write { store in
            guard try basis.holds(in: store), var record = try store.environment(id),
                [.running, .degraded].contains(record.state)
            else { return }
            try store.move(&record, to: next, message: reason, at: now)
        }
        actions.board.ring(id)
    }
}
