import API
import Blueprints
import EnvironmentGraph
import HTTPTransport
import Orchestration
import Storage

/// Stopping, resuming, retrying, undoing or deleting an environment: refused where its state or somebody else stands
/// against it, else one transaction from which on it is under way.
struct Change: Sendable {
    let store: any Store
    let outside: Outside
    let command: EnvironmentCommand
    /// Risks that the person accepts.
    var allow: Set<String> = []
    /// Why, where no person asks.
    var reason: String?
    /// Those to restart; empty for all of its own.
    var services: Set<String> = []
    /// Undoes an update, by an update back; without it that is refused.
    var update: Update?

    /// What was decided.
    struct Prepared: Sendable {
        var record: EnvironmentRecord
        /// `nil` where it is so already.
        var execution: ExecutionRecord?
        /// It was under way already.
        var isRepeated = false
        /// Something is stored, also where there is nothing to carry out.
        var isChanged = false
        /// What is to be said, and the codes of what stood against it and was accepted.
        var warnings: [ErrorDetail] = []
        var accepted: [String] = []
    }

    /// Decides and stores nothing.
    func prepare(_ id: EnvironmentID) async throws -> Prepared {
        let now = outside.now()
        return try await store.read { store in
            if let (update, wish) = try updateBack(id, in: store) { return try update.decide(wish, id, in: store) }
            return try decide(id, now, in: store)
        }
    }

    /// - Parameter reply: makes the response, which is stored in the same transaction where the call has a key.
    /// - Returns: what is stored now, new or under way, with the response.
    func commit(
        _ id: EnvironmentID, _ call: APICall,
        reply: @Sendable (Prepared, any StoreReading) throws -> HTTPResponse
    ) async throws -> (Prepared, HTTPResponse) {
        let now = outside.now()
        return try await store.write { store in
            let prepared = try carryOut(id, actor: call.actor, action: call.operation.rawValue, now, in: store)
            let response = try reply(prepared, store)
            if let stored = IdempotentReply(response, call.idempotency, at: now) { try store.save(stored) }
            return (prepared, response)
        }
    }

    /// Decides and stores, within the caller's transaction.
    func carryOut(
        _ id: EnvironmentID, actor: String, action: String, _ now: Int64, in store: any StoreWriting
    ) throws -> Prepared {
        if let (update, wish) = try updateBack(id, in: store) {
            return try update.carryOut(wish, id, actor: actor, action: action, now, in: store)
        }
        var prepared = try decide(id, now, in: store)
        if command == .stop, prepared.execution == nil, prepared.record.isAsleep, LifecycleActions.isPerson(actor) {
            // It sleeps; from now on no request wakes it.
            prepared.record.noteStop(byTime: false)
            try store.save(prepared.record)
            try store.audit(action, of: prepared.record.name, by: actor, at: now)
            prepared.isChanged = true
        }
        guard var execution = prepared.execution, !prepared.isRepeated else { return prepared }
        if [.stop, .resume].contains(command) {
            prepared.record.noteStop(byTime: command == .stop && actor == LifecycleActions.actor)
        }
        // What is said of the generation that stopped or failed does not count for the one that starts.
        if command == .resume { prepared.record.renewAll() }
        if command == .retry { prepared.record.renew(execution.startsAgain) }
        if command == .delete { prepared.record.expiresAt = nil }
        // What time does is no use of it.
        if LifecycleActions.isPerson(actor), command != .delete { prepared.record.renewExpiry(now: now) }
        prepared.record.updatedAt = now
        execution.actor = execution.actor ?? actor
        if execution.state == .compensating {
            // Whoever runs it just now may write nothing any more.
            _ = try store.claim(execution.id)
        }
        try store.accept(execution, of: &prepared.record, at: now)
        try store.audit(action, of: prepared.record.name, by: actor, at: now)
        prepared.execution = execution
        return prepared
    }

    private func decide(_ id: EnvironmentID, _ now: Int64, in store: any StoreReading) throws -> Prepared {
        guard var record = try store.environment(id) else {
            throw APIProblem(.notFound, "there is no environment \(id)")
        }
        let last = try store.lastExecution(of: id)
        if let last, !last.state.isFinal, command != .restart, last.kind.rawValue == command.rawValue,
            last.state != .compensating
        {
            return Prepared(record: record, execution: last, isRepeated: true)
        }
        switch (command, record.state) {
        case (.stop, .stopped), (.resume, .running), (.resume, .degraded): return Prepared(record: record)
        default: break
        }
        guard command.allowedStates.contains(record.state) else { throw Self.wrongState(command, record) }
        if command == .undo { return try undone(record, last, in: store) }
        if command == .restart { return try restarted(record, now) }
        try checkOthers(record, in: store)
        if command == .resume, record.state == .stopped { record.coolDown() }
        if command == .resume { try Doubts(record, allow).check(command, in: store) }
        var execution = ExecutionRecord(
            id: outside.executionID(), environment: id, kind: kind, steps: try steps(record, last), createdAt: now,
            reason: reason)
        if command == .retry {
            execution.retried = last?.purpose
            execution.revisionBefore = last?.revisionBefore
            execution.replicasBefore = last?.replicasBefore
        }
        return Prepared(record: record, execution: execution)
    }

    private var kind: ExecutionRecord.Kind {
        switch command {
        case .stop: .stop
        case .resume: .resume
        case .restart: .restart
        case .retry: .retry
        case .update: .update
        case .scale: .scale
        case .delete, .undo: .delete
        }
    }

    private func restarted(_ record: EnvironmentRecord, _ now: Int64) throws -> Prepared {
        let own = Set(record.localServices.map(\.name))
        if let stranger = services.subtracting(own).sorted().first {
            throw APIProblem(
                .notFound, "\(record.name) does not run a service \(shortened(stranger)) itself",
                hint: "it runs: \(own.sorted().joined(separator: ", "))")
        }
        let restart = Restart(services.isEmpty ? own : services, reason: reason)
        let (wanted, execution) = restart.prepared(record, outside.executionID(), at: now)
        return Prepared(record: wanted, execution: execution)
    }

    // MARK: Undoing

    /// An update or scale that did not end well is undone by another one, back to what was wanted before.
    private func updateBack(_ id: EnvironmentID, in store: any StoreReading) throws -> (Update, Update.Wish)? {
        guard command == .undo, let update, let record = try store.environment(id),
            let last = try store.lastExecution(of: id), [.update, .scale].contains(last.purpose),
            last.state != .succeeded
        else { return nil }
        return (update, try update.wish(undoing: last, of: record, in: store))
    }

    /// The same execution, now taking back what it did.
    private func undone(
        _ record: EnvironmentRecord, _ last: ExecutionRecord?, in store: any StoreReading
    ) throws -> Prepared {
        guard var last, last.state != .succeeded, last.state != .undone, last.state != .cancelled else {
            throw APIProblem(
                .wrongState, "there is nothing to undo on \(record.name): its last execution has ended well",
                hint: "microstax env executions \(record.name)")
        }
        if last.state == .compensating { return Prepared(record: record, execution: last, isRepeated: true) }
        switch last.purpose {
        case .create: try Change(store: self.store, outside: outside, command: .delete).checkOthers(record, in: store)
        case .resume: break
        case .stop, .delete, .update, .scale, .restart, .retry:
            throw APIProblem(
                .wrongState, "a \(last.purpose.rawValue) cannot be undone",
                hint: "microstax env retry \(record.name), or microstax env delete \(record.name)")
        }
        last.state = .compensating
        last.finishedAt = nil
        last.error = nil
        return Prepared(record: record, execution: last)
    }

    static func wrongState(_ command: EnvironmentCommand, _ record: EnvironmentRecord) -> APIProblem {
        let states = command.allowedStates.map(\.rawValue).sorted().joined(separator: ", ")
        let next = EnvironmentCommand.allCases.filter { ![.update, .scale].contains($0) }
            .filter { $0.allowedStates.contains(record.state) }.map(\.rawValue)
        return APIProblem(
            .wrongState, "\(record.name) is \(record.state.rawValue); \(command.rawValue) works in: \(states)",
            hint: "possible now: " + next.map { "microstax env \($0) \(record.name)" }.joined(separator: " · "))
    }

    /// Whoever stands on it, and what it stands on.
    private func checkOthers(_ record: EnvironmentRecord, in store: any StoreReading) throws {
        switch command {
        case .update, .scale, .restart, .undo: return
        case .delete, .stop:
            if command == .delete, record.isProtected {
                throw APIProblem(
                    .protected, "\(record.name) is protected against deletion",
                    hint: "take it off first: microstax env update \(record.name) --no-protect")
            }
            let children = try store.children(of: record.id)
                .filter { command == .delete || $0.state != .stopped }.map(\.name)
            guard !children.isEmpty else { return }
            let noun = children.count == 1 ? "an overlay" : "overlays"
            let them = children.count == 1 ? "it" : "them"
            let names = try standing(on: record, in: store).joined(separator: " ")
            throw APIProblem(
                .hasOverlays, "\(record.name) has \(noun): \(children.joined(separator: ", "))",
                hint: command == .delete
                    ? "delete \(them) first: microstax overlay delete \(names)"
                    : "stop \(them) first: microstax env stop \(names)",
                details: children.map { ErrorDetail(message: $0) })
        case .resume, .retry:
            guard let pin = record.parent, let parent = try store.environment(pin.id),
                ![.running, .degraded].contains(parent.state), !allow.contains("unhealthy-parent")
            else { return }
            throw APIProblem(
                .unhealthyParent, "\(parent.name), which \(record.name) stands on, is \(parent.state.rawValue)",
                hint: "microstax env resume \(parent.name), or accept it with `--allow unhealthy-parent`")
        }
    }

    /// Everything that stands on it, directly or not, the farthest first: in this order each can go.
    private func standing(on record: EnvironmentRecord, in store: any StoreReading) throws -> [String] {
        try store.children(of: record.id).filter { command == .delete || $0.state != .stopped }
            .flatMap { try standing(on: $0, in: store) + [$0.name] }
    }

    private func steps(_ record: EnvironmentRecord, _ last: ExecutionRecord?) throws -> [StepRecord] {
        switch command {
        case .delete: Planner.delete(record).steps.map { StepRecord(plan: $0) }
        case .stop: Planner.stop(record).steps.map { StepRecord(plan: $0) }
        case .resume: Planner.resume(record).steps.map { StepRecord(plan: $0) }
        case .retry: try retried(record, last)
        case .update, .scale, .restart, .undo: []
        }
    }

    private func retried(_ record: EnvironmentRecord, _ last: ExecutionRecord?) throws -> [StepRecord] {
        guard let last, last.state == .failed, [.create, .resume, .update, .scale, .restart].contains(last.purpose),
            !last.steps.contains(where: { [.undone, .undoing].contains($0.state) })
        else {
            let kind = last?.purpose.rawValue ?? "create"
            let wasUndoing = last?.steps.contains { [.undone, .undoing].contains($0.state) } ?? false
            let next = wasUndoing ? "undo" : kind
            throw APIProblem(
                .wrongState, "what failed on \(record.name) was \(wasUndoing ? "the undoing of its" : "its") \(kind)",
                hint: "microstax env \(next) \(record.name)")
        }
        if let unknown = last.steps.first(where: { $0.state == .outcomeUnknown }), !allow.contains("repeat-unknown") {
            throw APIProblem(
                .wrongState, "whether \"\(unknown.plan.title)\" took effect is unknown, and it may do so twice",
                hint: "look, then run it again with `microstax env retry \(record.name) --allow repeat-unknown`")
        }
        return Planner.retry(last.steps)
    }
}

extension ExecutionRecord {
    /// The services that its steps have yet to start.
    fileprivate var startsAgain: Set<String> {
        Set(
            steps.compactMap { step in
                guard step.state == .pending, case .startService(let instance) = step.plan.action else { return nil }
                return serviceName(ofInstance: instance)
            })
    }
}

extension IdempotentReply {
    /// `nil` where the call has no key.
    init?(_ response: HTTPResponse, _ ticket: IdempotencyTicket?, at now: Int64) {
        guard let ticket, case .bytes(let bytes) = response.body else { return nil }
        self.init(
            key: ticket.key, fingerprint: ticket.fingerprint, status: response.status,
            body: String(decoding: bytes, as: UTF8.self), createdAt: now)
    }
}
