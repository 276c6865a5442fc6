import Blueprints
import EnvironmentGraph
import Logging
import Storage

/// Drives ``LifecycleDecision`` for every environment: idleness, schedules and ttls.
///
/// One task. It sleeps until the earliest time at which any decision could change, or until an environment changes, and
/// then looks only at those that are concerned. What it decides is carried out like a person's command, in the name of
/// `microstax` and with the reason; nothing of a decision is kept but the warning of an end, so a server that was killed
/// decides anew.
package actor LifecycleKeeper {
    private let store: any Store
    private let board: StatusBoard
    private let activity: any ActivitySource
    private let acting: any LifecycleActing
    private let outside: Outside
    private let steady: @Sendable () -> Int64
    private let log: Logger
    private let startedAt: Int64

    private var memory = LifecycleMemory()
    private var clock = ClockWatch()
    private var isFirstLook = true

    /// For tests: whether it knows every environment.
    var hasLooked: Bool { !isFirstLook }

    /// - Parameter steady: milliseconds of a clock that nobody sets, and that stands still while the machine sleeps.
    package init(
        store: any Store, board: StatusBoard, activity: any ActivitySource, acting: any LifecycleActing,
        outside: Outside, steady: @escaping @Sendable () -> Int64 = LifecycleKeeper.suspendingMilliseconds, log: Logger
    ) {
        self.store = store
        self.board = board
        self.activity = activity
        self.acting = acting
        self.outside = outside
        self.steady = steady
        self.log = log
        startedAt = outside.now()
    }

    package static let suspendingMilliseconds: @Sendable () -> Int64 = {
        let start = SuspendingClock().now
        return { start.duration(to: SuspendingClock().now).milliseconds }
    }()

    /// Until cancelled.
    package func run() async {
        let (wakes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let changed = board.collectChanges { continuation.yield() }
        defer { changed.end() }
        continuation.yield()
        var timer: Task<Void, Never>?
        defer { timer?.cancel() }
        for await _ in wakes {
            let due = await look(changed: changed.take())
            timer?.cancel()
            // Changes come in swarms; they are looked at together. Cancelled: the loop's end sees it.
            try? await outside.sleep(.milliseconds(100))
            guard let due else { continue }
            // At most an hour: the clock may be set meanwhile. Ended by the next round, or with this function.
            let pause = Duration.milliseconds(min(max(due - outside.now(), 0), 3_600_000))
            timer = Task { [outside] in
                guard (try? await outside.sleep(pause)) != nil else { return }
                continuation.yield()
            }
        }
    }

    /// Looks at what changed and at what is due, and carries out what is decided.
    ///
    /// - Returns: when to look again, if nothing changes before.
    package func look(changed: Set<EnvironmentID>) async -> Int64? {
        let now = outside.now()
        let lastJump = clock.jumpedAt
        clock.look(wall: now, steady: steady())
        do {
            let concerned = try await refresh(changed)
            let hasJumped = clock.jumpedAt != lastJump
            let all = hasJumped ? Set(memory.entries.keys) : concerned.union(memory.due(at: now))
            let report = await report(for: all)
            for id in all { await judge(id, report, now) }
        } catch {
            log.error("lifecycles were not looked at", metadata: ["error": "\(error)"])
            isFirstLook = true
            return now + 5_000
        }
        return memory.nextDueAt
    }

    // MARK: Knowing

    /// Reads what changed; at first everything. Executions are read only of those that rest: in between, one is under way.
    ///
    /// - Returns: everything that the changes can concern.
    private func refresh(_ changed: Set<EnvironmentID>) async throws -> Set<EnvironmentID> {
        var concerned: Set<EnvironmentID> = []
        if isFirstLook {
            concerned = try await readAll()
            for gone in Set(memory.entries.keys).subtracting(concerned) { memory.remove(gone) }
            let unfinished = try await store.read { try $0.unfinishedExecutions() }
            for execution in unfinished { memory[execution.environment]?.isExecuting = true }
            // Commands after which a schedule's turn does not count any more.
            try await readExecutions(
                of: concerned.filter { memory[$0]?.record.spec.lifecycle.schedule != nil }.sorted())
            isFirstLook = false
        }
        guard !changed.isEmpty else { return concerned }
        let found = try await records(changed)
        var resting: [EnvironmentID] = []
        for (id, record) in found {
            concerned.formUnion(memory.concerned(by: id))
            let before = memory[id]?.record
            if record == nil || record?.state == .stopped, let before, before.state != .stopped,
                let parent = before.parent?.id
            {
                // What it stands on was in use until now.
                memory[parent]?.lastUsedAt = outside.now()
            }
            guard let record else {
                memory.remove(id)
                continue
            }
            memory.set(record, version: memory[id]?.record == record ? memory[id]?.version : nil)
            concerned.formUnion(memory.concerned(by: id))
            if record.state.isTransient {
                memory[id]?.isExecuting = true
            } else if record.spec.lifecycle.schedule != nil || record.spec.lifecycle.idleMilliseconds != nil {
                resting.append(id)
            } else {
                memory[id]?.isExecuting = false
            }
        }
        try await readExecutions(of: resting)
        return concerned.filter { memory[$0] != nil }
    }

    /// What is stored of them; of very many only those that were saved since they were read last, such as after a start,
    /// when something is heard of everything.
    private func records(_ ids: Set<EnvironmentID>) async throws -> [(EnvironmentID, EnvironmentRecord?)] {
        guard ids.count > Self.pageSize else {
            return try await store.read { store in try ids.map { ($0, try store.environment($0)) } }
        }
        let known = ids.reduce(into: [EnvironmentID: (Int64, EnvironmentRecord)]()) { known, id in
            if let entry = memory[id], let version = entry.version { known[id] = (version, entry.record) }
        }
        return try await store.read { store in
            let versions = try store.versions()
            return try ids.map { id in
                if let (version, record) = known[id], versions[id] == version { return (id, record) }
                return (id, try store.environment(id))
            }
        }
    }

    /// Page by page: others want to read as well. What changes meanwhile is told, and looked at again.
    private func readAll() async throws -> Set<EnvironmentID> {
        // Read before the records: where one is saved meanwhile, it is read again.
        let versions = try await store.read { try $0.versions() }
        var (found, last): (Set<EnvironmentID>, String?) = ([], "")
        while let after = last {
            let page = try await store.read {
                try $0.environments(after: after, modes: Set(EnvironmentMode.allCases), limit: Self.pageSize)
            }
            for record in page {
                memory.set(record, version: versions[record.id])
                found.insert(record.id)
            }
            last = page.last?.name
        }
        return found
    }

    private static let pageSize = 200

    private func readExecutions(of ids: [EnvironmentID]) async throws {
        guard !ids.isEmpty else { return }
        let executions = try await store.read { store in try ids.map { try store.lastExecutionWithoutSteps(of: $0) } }
        for case let execution? in executions {
            memory[execution.environment]?.isExecuting = !execution.state.isFinal
            memory[execution.environment]?.lastCommandAt = execution.createdAt
            memory[execution.environment]?.lastExecutionEndedAt = execution.finishedAt
        }
    }

    /// `nil` where nobody of them is concerned by it.
    private func report(for ids: Set<EnvironmentID>) async -> Result<ActivityReport, any Error>? {
        let isNeeded = ids.contains { id in
            memory[id].map { $0.record.spec.lifecycle.idleMilliseconds != nil && !$0.record.state.isTransient } ?? false
        }
        guard isNeeded else { return nil }
        do {
            return .success(try await activity.activity())
        } catch {
            log.warning("who uses what is not known", metadata: ["error": "\(error)"])
            return .failure(error)
        }
    }

    // MARK: Deciding

    private func judge(_ id: EnvironmentID, _ report: Result<ActivityReport, any Error>?, _ now: Int64) async {
        guard var entry = memory[id] else { return }
        var use = LifecycleFacts.Use.unknown("nobody was asked")
        var knownSince = startedAt
        switch report {
        case .success(let report):
            let found = report.uses[id]
            if entry.wasInUse, found?.held == nil { entry.lastUsedAt = now }
            entry.wasInUse = found?.held != nil
            use = .known(last: [found?.lastAt, entry.lastUsedAt].compactMap { $0 }.max(), held: found?.held)
            knownSince = max(knownSince, report.since)
        case .failure(let error): use = .unknown("\(error)")
        case nil: break
        }
        memory[id] = entry
        guard
            let facts = memory.facts(of: id, use: use, knownSince: knownSince, clockJumpedAt: clock.jumpedAt)
        else { return }
        let decision = LifecycleDecision.of(facts, now: now)
        memory[id]?.dueAt = decision.lookAgainAt
        for finding in decision.heldBack { await say(finding.why, of: facts.record, now) }
        guard let action = decision.action else { return }
        await carryOut(action, on: facts.record, now)
    }

    private func carryOut(_ finding: LifecycleDecision.Finding, on record: EnvironmentRecord, _ now: Int64) async {
        let id = record.id
        do {
            switch finding.action {
            case .nothing, .holdBack: return
            case .warn: return try await warn(record, finding, now)
            case .stop:
                try await acting.carryOut(.stop, on: id, reason: finding.why) {
                    [.running, .degraded].contains($0.state)
                }
            case .resume:
                try await acting.carryOut(.resume, on: id, reason: finding.why) { $0.state == .stopped }
            case .delete:
                // Meanwhile somebody may have given it longer.
                let end = record.expiresAt
                try await acting.carryOut(.delete, on: id, reason: finding.why) {
                    $0.expiresAt == end && !$0.isProtected
                }
            }
            memory[id]?.refusals = 0
            memory[id]?.isExecuting = true
        } catch {
            // Refused, or the store cannot be written: again later, and said once.
            let refusals = (memory[id]?.refusals ?? 0) + 1
            memory[id]?.refusals = refusals
            memory[id]?.dueAt = now + min(Int64(5000) << Int64(min(refusals, 6)), 300_000)
            await say("\(finding.why): \(finding.action) was refused: \(error)", of: record, now)
        }
    }

    // MARK: Saying

    private func warn(_ record: EnvironmentRecord, _ finding: LifecycleDecision.Finding, _ now: Int64) async throws {
        let id = record.id
        let message = "\(finding.why); to keep it: microstax env extend \(record.name) --ttl 24h"
        let isWarned = try await store.write { store in
            guard var stored = try store.environment(id), stored.expiresAt == record.expiresAt else { return false }
            stored.noteExpiryWarning(at: now)
            try store.save(stored)
            try store.append(
                EventRecord(
                    time: now, environment: id, name: stored.name, kind: .warning, actor: "microstax", message: message)
            )
            return true
        }
        // It changed meanwhile, and will be looked at again.
        guard isWarned else { return }
        memory[id]?.record.noteExpiryWarning(at: now)
        board.ring(id)
    }

    /// Once for each environment and message, also over the server's restarts.
    private func say(_ message: String, of record: EnvironmentRecord, _ now: Int64) async {
        guard memory[record.id]?.said.insert(message).inserted ?? false else { return }
        do {
            try await store.write { store in
                let since = record.expirySetAt
                let isSaid = try store.events(of: record.id, after: nil, limit: 50).contains {
                    $0.message == message && $0.time >= since
                }
                guard !isSaid else { return }
                try store.append(
                    EventRecord(
                        time: now, environment: record.id, name: record.name, kind: .warning, actor: "microstax",
                        message: message))
            }
        } catch {
            memory[record.id]?.said.remove(message)
            log.warning("an event was not stored", metadata: ["environment": "\(record.id)", "error": "\(error)"])
        }
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
