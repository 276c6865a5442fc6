import API
import Blueprints
import EnvironmentGraph
import HTTPTransport
import Orchestration
import Storage

extension Update {
    /// Decides and stores nothing.
    func prepare(_ wish: Wish, _ id: EnvironmentID) async throws -> Change.Prepared {
        try await creation.store.read { try decide(wish, id, in: $0) }
    }

    /// - Parameter reply: makes the response, which is stored in the same transaction where the call has a key.
    func commit(
        _ wish: Wish, _ id: EnvironmentID, _ call: APICall,
        reply: @Sendable (Change.Prepared, any StoreReading) throws -> HTTPResponse
    ) async throws -> (Change.Prepared, HTTPResponse) {
        let now = creation.outside.now()
        return try await creation.store.write { store in
            let prepared = try carryOut(wish, id, actor: call.actor, action: call.operation.rawValue, now, in: store)
            let response = try reply(prepared, store)
            if let stored = IdempotentReply(response, call.idempotency, at: now) { try store.save(stored) }
            return (prepared, response)
        }
    }

    /// Decides and stores, within the caller's transaction.
    func carryOut(
        _ wish: Wish, _ id: EnvironmentID, actor: String, action: String, _ now: Int64, in store: any StoreWriting
    ) throws -> Change.Prepared {
        var prepared = try decide(wish, id, in: store)
        guard prepared.isChanged else { return prepared }
        prepared.record.updatedAt = now
        // Another ttl counts from now on.
        let before = try store.environment(id)?.spec.lifecycle.ttl
        prepared.record.renewExpiry(now: now, isNew: before != prepared.record.spec.lifecycle.ttl)
        if wish.pin != nil, var current = try store.revision(wish.base, of: id), current.parent == nil {
            // From before pins were kept with revisions; whoever goes back to it stands where it stood.
            current.parent = try store.environment(id)?.parent
            try store.save(current)
        }
        if var revision = wish.revision {
            (revision.actor, revision.reason) = (actor, wish.reason)
            try store.save(revision)
        }
        if let secrets = wish.secrets {
            try store.removeSecrets(of: id)
            for secret in secrets { try store.save(secret) }
        }
        let what = wish.kind == .scale ? "replicas" : "revision \(prepared.record.revision)"
        try store.append(
            EventRecord(
                time: now, environment: id, name: prepared.record.name, kind: .changed, actor: actor,
                message: what + (wish.reason.map { ": \($0)" } ?? "")))
        if var execution = prepared.execution {
            execution.actor = actor
            try store.accept(execution, of: &prepared.record, at: now)
            prepared.execution = execution
        } else {
            try store.save(prepared.record)
        }
        try store.audit(action, of: prepared.record.name, by: actor, at: now, accepted: prepared.accepted)
        return prepared
    }

    func decide(_ wish: Wish, _ id: EnvironmentID, in store: any StoreReading) throws -> Change.Prepared {
        guard let record = try store.environment(id) else {
            throw APIProblem(.notFound, "there is no environment \(id)")
        }
        let command: EnvironmentCommand = wish.kind == .scale ? .scale : .update
        let isUndo = wish.isUndo
        guard (isUndo ? .undo : command).allowedStates.contains(record.state) else {
            throw Change.wrongState(command, record)
        }
        guard record.revision == wish.base else {
            throw APIProblem(.conflict, "\(record.name) changed while this was being prepared", hint: "try again")
        }
        let last = try store.lastExecution(of: id)
        var wanted = record
        (wanted.spec, wanted.difference) = (wish.spec, wish.difference)
        if let pin = wish.pin { wanted.parent = pin }
        try settle(&wanted, before: record, in: store)
        let changes = Difference.between(request: wish.spec, parent: record.spec)
        let changed = Self.restarting(from: record, to: wanted, changes, wish.changedSecrets)
        let isSame =
            wish.spec == record.spec && wish.difference == record.difference && wish.changedSecrets.isEmpty
            && wanted.parent == record.parent && !wish.hasOtherContracts
        if isSame, [.running, .degraded, .stopped].contains(record.state) { return Change.Prepared(record: record) }
        if let revision = wish.revision { wanted.revision = revision.number }
        var prepared = Change.Prepared(record: wanted, execution: nil, isChanged: true)
        if let basis = wish.basis {
            let request = ConflictFinding.Request(
                record: wanted, document: basis.document, parent: basis.parent, known: basis.known)
            let finding = ConflictFinding(vault: creation.vault, region: creation.region)
            (prepared.warnings, prepared.accepted) = try ConflictFinding.decide(
                try finding.conflicts(request, in: store), allow: allow, name: record.name)
        }
        // Nothing runs: the resume starts what is wanted then.
        guard record.state != .stopped else { return prepared }
        // What did not come up before is started anew, too; and what is new: an earlier service of the same name may run still,
        // where the update that took it away was replaced by this one.
        let added = Set(wanted.localServices.map(\.name)).subtracting(record.localServices.map(\.name))
        prepared.record.renew(changed.union(added).union(Self.notReady(last, record.state)))
        let reasons = changes.entries.reduce(into: [String: String]()) { reasons, entry in
            let why = entry.reasons.joined(separator: ", ")
            let secrets = wish.changedSecrets.contains(entry.service) ? "secrets" : ""
            let said = [why, secrets].filter { !$0.isEmpty }.joined(separator: ", ")
            if !said.isEmpty { reasons[entry.service] = "\(entry.kind.rawValue): \(said)" }
        }
        let plan = Planner.update(
            from: record, to: prepared.record, reasons: reasons, ensuresAll: [.error, .updating].contains(record.state))
        try Doubts(record, allow).check(isUndo ? .undo : command, planned: plan, in: store)
        var execution = ExecutionRecord(
            id: creation.outside.executionID(), environment: id, kind: wish.kind,
            steps: plan.steps.map { StepRecord(plan: $0) }, createdAt: creation.outside.now(), reason: wish.reason)
        if wish.kind == .scale {
            execution.replicasBefore = Dictionary(
                record.localServices.map { ($0.name, $0.replicas) }, uniquingKeysWith: { $1 })
        } else {
            execution.revisionBefore = record.revision
        }
        prepared.execution = execution
        return prepared
    }

    /// The services that run before and after, and of which the process must be another one.
    private static func restarting(
        from old: EnvironmentRecord, to new: EnvironmentRecord, _ changes: Difference, _ secrets: Set<String>
    ) -> Set<String> {
        // What does not reach the process.
        let harmless: Set<String> = ["expose", "dependsOn", "init", "replicas", "activation"]
        let changed = changes.entries.filter { $0.kind == .changed && !harmless.isSuperset(of: $0.reasons) }
            .map(\.service)
        return Set(changed).union(secrets).filter { old.difference.isLocal($0) && new.difference.isLocal($0) }
    }

    private static func notReady(_ last: ExecutionRecord?, _ state: EnvironmentState) -> Set<String> {
        guard [.error, .updating].contains(state), let last else { return [] }
        return Set(
            last.steps.compactMap { step in
                guard case .awaitService(let instance) = step.plan.action, step.state != .succeeded else { return nil }
                return serviceName(ofInstance: instance)
            })
    }
}
