import Blueprints
import EnvironmentGraph
import Logging
import Runtimes
import Storage
import Synchronization

/// What is done about an environment in which something is amiss.
extension Reconciler {
    /// What was seen once counts when it is still so after that long, so that what is only just on its way is left alone.
    private static let firstPause = Duration.milliseconds(500)
    private static let mendingPause = Duration.seconds(2)

    private enum Verdict {
        /// Nothing more to do until something happens.
        case done
        case again(after: Duration)
    }

    /// Until nothing can be done any more.
    func mend(_ id: EnvironmentID) async {
        var seen: Set<Finding.Key> = []
        while !Task.isCancelled {
            let ends = state.withLock { state -> [ProcessEnds.End] in
                state.watches[id]?.isDirty = false
                defer { state.watches[id]?.newEnds = [] }
                return state.watches[id]?.newEnds ?? []
            }
            var pause = Self.mendingPause
            do {
                switch try await look(id, ends, &seen) {
                case .done where isMended(id): return
                case .done: pause = .zero
                case .again(let after): pause = after
                }
            } catch is CancellationError {
                return
            } catch {
                // What ended is to be recorded all the same.
                state.withLock { $0.watches[id]?.newEnds.insert(contentsOf: ends, at: 0) }
                log.warning("could not reconcile", metadata: ["environment": "\(id)", "error": "\(error)"])
            }
            // Cancelled: the loop's condition sees it.
            try? await actions.outside.sleep(pause)
        }
    }

    /// - Returns: false where something happened while it was looked at; else the mender is gone.
    private func isMended(_ id: EnvironmentID) -> Bool {
        state.withLock { state in
            guard state.watches[id]?.isDirty != true else { return false }
            state.watches[id]?.mender = nil
            return true
        }
    }

    /// One look: what is found twice is recorded and, where the Blueprint or a person says so, mended.
    private func look(
        _ id: EnvironmentID, _ ends: [ProcessEnds.End], _ seen: inout Set<Finding.Key>
    ) async throws -> Verdict {
        guard let basis = try await basis(id) else { return .done }
        let (record, execution) = (basis.record, basis.execution)
        actions.outside.happened(.looked)
        // An execution explains what differs; but what it has started should be there.
        guard [.running, .degraded].contains(record.state), execution?.state.isFinal != false else {
            return try await reapply(record, execution, &seen)
        }
        let irregularities = try await actions.runtime.irregularities(of: record)
        // Nothing was heard of it yet; what the runtime keeps can be looked at all the same.
        let isHeard = actions.board.isHeard(id)
        let statuses = actions.board.statuses(of: id)
        let now = actions.outside.now()
        // What an execution ended is not wanted any more, or is of a generation before.
        let ends = ends.filter { end in
            let service = record.localServices.first { $0.instances.contains(end.service) }
            return service.map { record.generation(of: $0.name) } == end.generation
        }
        // Kept only when they are recorded: who cannot write comes again with the same ends.
        var memory = state.withLock { $0.watches[id]?.ends ?? ProcessEnds() }
        for end in ends { memory.add(end, at: now) }
        let loops = memory.loops(at: now)
        let findings = DeviationFinder.findings(record, isHeard ? statuses : nil, irregularities, loops: loops)
        let wasOpen = Set(basis.open.map(\.key))
        // A circle was seen often enough.
        let fresh = findings.filter { !seen.contains($0.key) && !wasOpen.contains($0.key) && $0.kind != .crashLoop }
        let sure = findings.filter { finding in !fresh.contains { $0.key == finding.key } }
        guard let open = try await write(basis, sure, fresh, ends, isHeard ? statuses : nil, at: now) else {
            state.withLock { $0.watches[id]?.newEnds.insert(contentsOf: ends, at: 0) }
            return .again(after: .zero)
        }
        state.withLock { [memory] state in
            state.watches[id]?.ends = memory
            state.watches[id]?.hasOpenDeviations = !open.isEmpty
        }
        if isHeard { try await judge(statuses, basis, open) }
        seen = Set(findings.map(\.key))
        let isActing = try await act(on: sure, open, basis)
        return isActing ? .again(after: Self.mendingPause) : fresh.isEmpty ? .done : .again(after: Self.firstPause)
    }

    /// Brings the records to what was found, in one transaction; none where nothing changed.
    ///
    /// - Returns: what is open now; `nil` where something else is wanted by now.
    private func write(
        _ basis: Basis, _ sure: [Finding], _ fresh: [Finding], _ ends: [ProcessEnds.End],
        _ statuses: [WorkloadStatus]?, at now: Int64
    ) async throws -> [DeviationRecord]? {
        let (record, open) = (basis.record, basis.open)
        let found = sure.filter { finding in !open.contains { $0.key == finding.key } }
        let keys = Set((sure + fresh).map(\.key))
        let over = open.filter { deviation in
            if deviation.kind == .processEnded {
                let isBack = statuses?.contains { $0.service == deviation.service && $0.state == .ready } ?? false
                let isWanted = record.localServices.contains { $0.instances.contains(deviation.service ?? "") }
                return (isBack || !isWanted || record.state == .stopped)
                    && !ends.contains { $0.service == deviation.service }
            }
            return statuses != nil && !keys.contains(deviation.key)
        }
        guard !found.isEmpty || !over.isEmpty || !ends.isEmpty else { return open }
        let loops = Set(sure.filter { $0.kind == .crashLoop }.compactMap(\.service))
        let (id, name, mends) = (record.id, record.name, record.spec.repair == .auto)
        let after = try await actions.store.write { store -> [DeviationRecord]? in
            guard try basis.holds(in: store) else { return nil }
            let book = DeviationBook(store: store, environment: id, name: name, now: now)
            for end in ends {
                let finding = Finding(
                    kind: .processEnded, service: end.service, message: end.message, remedy: .itself)
                try book.found(
                    finding, remedy: finding.remedy.advice(name), times: end.count,
                    isQuiet: loops.contains(end.service))
            }
            for finding in found {
                let isMended = mends && finding.remedy != .itself
                try book.found(finding, remedy: isMended ? nil : finding.remedy.advice(name))
            }
            for deviation in over {
                try book.ended(
                    deviation, isQuiet: deviation.kind == .processEnded && loops.contains(deviation.service ?? ""))
            }
            return try store.deviations(of: id).filter { $0.state == .open }
        }
        actions.board.ring(id)
        return after
    }

    /// An environment that is stopped, or runs nothing itself, is not watched: nothing should run of it.
    func lookUnwatched(_ id: EnvironmentID) async throws {
        // Before it is read whether it is stopped still.
        let statuses = try await actions.runtime.observe(id)
        guard let basis = try await basis(id), basis.record.state == .stopped || basis.record.wantedInstances == 0,
            basis.execution?.state.isFinal != false
        else { return }
        let record = basis.record
        let irregularities = try await actions.runtime.irregularities(of: record)
        let findings = DeviationFinder.findings(stopped: statuses, irregularities)
        guard let open = try await write(basis, findings, [], [], statuses, at: actions.outside.now()) else { return }
        // What is gone is made again, if at all, when it runs again.
        _ = try await act(on: findings.filter { $0.remedy != .beginAnew }, open, basis)
    }

    // MARK: Acting

    /// - Returns: whether anything was done.
    private func act(
        on findings: [Finding], _ open: [DeviationRecord], _ basis: Basis
    ) async throws -> Bool {
        let record = basis.record
        let due = findings.filter { finding in
            guard finding.remedy != .itself else { return false }
            return record.spec.repair == .auto || open.contains { $0.key == finding.key && $0.isToBeMended == true }
        }
        guard !due.isEmpty else { return false }
        let lost = due.filter { $0.remedy == .beginAnew }
        if !lost.isEmpty { try await beginAnew(lost, record) }
        for finding in due where finding.remedy != .beginAnew {
            log.warning(
                "mending",
                metadata: [
                    "environment": "\(record.name)", "deviation": "\(finding.kind)", "what": "\(finding.message)",
                ])
            // Before it is done: whoever finds it done has to find that we did it. And only as long as what was looked at is
            // what is wanted.
            guard try await note(finding, basis) else { return true }
            switch finding.remedy {
            case .apply: try await apply(finding.service ?? "", of: record)
            case .stop: try await actions.runtime.stop(finding.service ?? "", of: record.id)
            case .restoreFiles: try await actions.runtime.restoreFiles(of: record.id)
            case .beginAnew, .itself: break
            }
        }
        return true
    }

    /// - Returns: false where something else is wanted by now.
    private func note(_ finding: Finding, _ basis: Basis) async throws -> Bool {
        let (id, name, now) = (basis.record.id, basis.record.name, actions.outside.now())
        return try await actions.store.write { store in
            guard try basis.holds(in: store) else { return false }
            try DeviationBook(store: store, environment: id, name: name, now: now).acted(finding)
            return true
        }
    }

    private func apply(_ instance: String, of record: EnvironmentRecord) async throws {
        let service = try actions.service(instance, in: record)
        try await actions.runtime.apply(
            try await actions.rendering(of: record).workload(service, instance: instance))
        actions.outside.happened(.appliedAgain)
    }

    /// Data is gone: the services are started and initialised again, by an execution like any other.
    private func beginAnew(_ findings: [Finding], _ record: EnvironmentRecord) async throws {
        let services = Set(findings.compactMap(\.service))
        let reason = findings.map(\.message).joined(separator: "; ")
        let volumes = findings.reduce(into: Set<String>()) { $0.formUnion($1.volumes) }
        // Somebody may just be putting it back.
        let still = try await actions.runtime.irregularities(of: record).compactMap { irregularity in
            irregularity.volume.map { "\(irregularity.service ?? "")/\($0)" }
        }
        guard volumes.isSubset(of: still) else { return }
        let restart = Restart(services, beginningAnew: volumes, reason: reason)
        let (id, now, execution) = (record.id, actions.outside.now(), actions.outside.executionID())
        let accepted = try await actions.store.write { store -> ExecutionRecord? in
            guard let record = try store.environment(id),
                EnvironmentCommand.restart.allowedStates.contains(record.state),
                try store.lastExecutionWithoutSteps(of: id)?.state.isFinal != false
            else { return nil }
            var prepared = restart.prepared(record, execution, at: now)
            prepared.execution.actor = "microstax"
            let book = DeviationBook(store: store, environment: id, name: record.name, now: now)
            for finding in findings { try book.acted(finding) }
            prepared.record.updatedAt = now
            try store.accept(prepared.execution, of: &prepared.record, at: now)
            try store.audit("repairEnvironment", of: record.name, by: "microstax", at: now)
            return prepared.execution
        }
        if let accepted { await submit(accepted) }
    }

    // MARK: During an execution

    /// Applies again what the execution under way has started and the runtime has lost; else its steps would wait for
    /// ever.
    private func reapply(
        _ record: EnvironmentRecord, _ execution: ExecutionRecord?, _ seen: inout Set<Finding.Key>
    ) async throws -> Verdict {
        guard actions.board.isHeard(record.id), record.state.isTransient, let execution, !execution.state.isFinal else {
            return .done
        }
        let steps = try await actions.store.read { try $0.execution(execution.id)?.steps } ?? []
        let started = Set(
            steps.filter { $0.state == .succeeded }.compactMap { step in
                if case .startService(let name) = step.plan.action { name } else { nil }
            })
        let missing = Self.lost(actions.board.statuses(of: record.id), of: record, started: started)
        for instance in missing where seen.contains(Finding.Key(kind: .workloadMissing, service: instance)) {
            log.warning("applying again", metadata: ["environment": "\(record.name)", "service": "\(instance)"])
            try await apply(instance, of: record)
        }
        let keys = Set(missing.map { Finding.Key(kind: .workloadMissing, service: $0) })
        defer { seen = keys }
        return keys.isEmpty ? .done : .again(after: keys.isSubset(of: seen) ? Self.mendingPause : Self.firstPause)
    }
}
