import API
import EnvironmentGraph
import Orchestration
import Runtimes
import Storage

extension EnvironmentOperations {
    /// What differed from what is wanted, last seen first.
    ///
    /// - Parameter named: `nil` for every environment, and orphans.
    func deviations(of named: String?, state: String?) async throws -> [DeviationView] {
        let wanted = try state.map { text in
            guard let state = DeviationRecord.State(rawValue: text) else {
                let states = DeviationRecord.State.allCases.map(\.rawValue).joined(separator: ", ")
                throw APIProblem(.invalidRequest, "there is no state \(shortened(text))", hint: states)
            }
            return state
        }
        var id: EnvironmentID?
        if let named { id = try await picture(of: named).record.id }
        return try await store.read { [id] store in
            let found = try store.deviations(of: id).filter { wanted == nil || $0.state == wanted }
            let names = try Set(found.map(\.environment)).reduce(into: [EnvironmentID: String]()) { names, id in
                names[id] = try store.environment(id)?.name
            }
            return found.map { deviation in
                DeviationView(deviation, name: names[deviation.environment])
            }
        }
    }

    /// Has the open deviations mended, whatever the Blueprint's `repair` says. Kept until it is done: a server that dies
    /// goes on with it.
    ///
    /// - Returns: what is to be mended.
    func repair(_ named: String, _ call: APICall) async throws -> [DeviationView] {
        let record = try await picture(of: named).record
        if [.stopped, .error].contains(record.state) { return try await giveUpLostVolumes(of: record, call) }
        guard EnvironmentCommand.restart.allowedStates.contains(record.state) else {
            throw APIProblem(
                .wrongState,
                "\(record.name) is \(record.state.rawValue); repair works in: degraded, error, running, stopped",
                hint: "microstax env status \(record.name)")
        }
        let (id, now, actor) = (record.id, outside.now(), call.actor)
        let open = try await store.write { store in
            let open = try store.deviations(of: id).filter { $0.state == .open }.map { deviation in
                var deviation = deviation
                deviation.isToBeMended = true
                try store.save(deviation)
                return deviation
            }
            guard !open.isEmpty else { return open }
            try store.audit(call.operation.rawValue, of: record.name, by: actor, at: now)
            return open
        }
        orchestrator.look(at: id)
        return open.map { DeviationView($0, name: record.name) }
    }

    /// Of an environment that does not run: its services begin without the data that is lost when they start the next
    /// time, instead of refusing to.
    private func giveUpLostVolumes(of record: EnvironmentRecord, _ call: APICall) async throws -> [DeviationView] {
        let lost = try await runtime.irregularities(of: record).filter { $0.volume != nil }
        guard !lost.isEmpty else { return [] }
        let volumes = Set(lost.map { "\($0.service ?? "")/\($0.volume ?? "")" })
        let (id, now, actor) = (record.id, outside.now(), call.actor)
        let mended = try await store.write { store -> [DeviationRecord] in
            guard var record = try store.environment(id), [.stopped, .error].contains(record.state) else {
                throw APIProblem(.conflict, "\(record.name) changed while this was being prepared", hint: "try again")
            }
            record.beginAnew(volumes)
            record.updatedAt = now
            try store.save(record)
            try store.audit(call.operation.rawValue, of: record.name, by: actor, at: now)
            let noted = try store.deviations(of: id)
            return try lost.map { irregularity in
                let known = noted.first { $0.kind == .volumeMissing && $0.service == irregularity.service }
                var deviation =
                    known
                    ?? DeviationRecord(
                        environment: id, service: irregularity.service, kind: .volumeMissing,
                        message: irregularity.message, firstSeenAt: now, lastSeenAt: now)
                deviation.state = .mended
                deviation.actedAt = now
                deviation.remedy = "begins empty and is initialised when it starts; what was in it is lost"
                try store.save(deviation)
                return deviation
            }
        }
        return mended.map { DeviationView($0, name: record.name) }
    }

    /// Removes what the runtime has of an environment that does not exist; returns when it is gone.
    func deleteOrphan(_ text: String, _ call: APICall) async throws -> DeviationView {
        let id = EnvironmentID(rawValue: text)
        let (known, noted) = try await store.read { store in
            (try store.environment(id), try store.deviations(of: id).first { $0.kind == .orphan })
        }
        if let known {
            throw APIProblem(
                .wrongState, "\(known.name) (\(id)) is no orphan", hint: "microstax env delete \(known.name)")
        }
        guard try await runtime.environments().contains(id) else {
            throw APIProblem(
                .notFound, "there is no orphan \(shortened(text))",
                hint: "microstax env deviations --state open")
        }
        let (now, actor) = (outside.now(), call.actor)
        try await store.write { store in
            try store.audit(call.operation.rawValue, of: id.rawValue, by: actor, at: now)
        }
        do {
            try await runtime.delete(id)
        } catch let error as RuntimeError {
            throw APIProblem(.internalError, "not all of \(id) could be removed: \(error.message)", hint: error.hint)
        }
        try await store.write { store in
            try store.removeDeviations(of: id)
            try store.append(
                EventRecord(
                    time: now, environment: id, name: id.rawValue, kind: .deviationMended, actor: actor,
                    message: "orphan: removed with its data"))
        }
        var gone =
            noted
            ?? DeviationRecord(
                environment: id, service: nil, kind: .orphan, message: "the runtime had something of \(id)",
                firstSeenAt: now, lastSeenAt: now)
        gone.state = .mended
        gone.remedy = "removed with its data"
        return DeviationView(gone, name: nil)
    }
}

extension DeviationView {
    init(_ record: DeviationRecord, name: String?) {
        self.init(
            environment: record.environment.rawValue, name: name ?? record.environment.rawValue,
            service: record.service, kind: record.kind.rawValue, state: record.state.rawValue,
            message: record.message, remedy: record.remedy, count: record.count,
            firstSeenAt: timestamp(record.firstSeenAt), lastSeenAt: timestamp(record.lastSeenAt))
    }
}
