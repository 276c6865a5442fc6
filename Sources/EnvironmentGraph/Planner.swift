import Blueprints

/// Plans: pure and deterministic, so that the same request always gives the same steps under the same keys.
package enum Planner {
    /// The steps that realise a new environment. Steps without a path between them may run side by side.
    package static func create(_ record: EnvironmentRecord) -> Plan { startingAll(of: record, discards: true) }

    /// The steps that remove an environment and everything that it has.
    package static func delete(_ record: EnvironmentRecord) -> Plan {
        let close = PlannedStep(
            key: "routes/close", title: "close routes", reason: "no new request starts", action: .closeRoutes, needs: []
        )
        let stops = stopSteps(record.localServices, after: [close.key])
        return Plan(
            steps: [close] + stops + [
                PlannedStep(
                    key: "resources/remove", title: "remove volumes, logs and files", reason: "nothing is left behind",
                    action: .removeResources, needs: [close.key] + stops.map(\.key)),
                PlannedStep(
                    key: "ports/release", title: "release ports", reason: "nothing listens on them any more",
                    action: .releasePorts, needs: ["resources/remove"]),
            ])
    }

    /// The steps that stop everything that an environment runs itself; data, ports and logs stay.
    package static func stop(_ record: EnvironmentRecord) -> Plan {
        let stops = stopSteps(record.localServices, after: [])
        return Plan(steps: stops + [stopStrays(after: stops.map(\.key))])
    }

    /// What an execution that was superseded may have left running.
    private static func stopStrays(after needs: [String]) -> PlannedStep {
        PlannedStep(
            key: "strays/stop", title: "stop what is not wanted", reason: "what was superseded may have left something",
            action: .stopStrays, needs: needs)
    }

    /// The steps that start a stopped environment again. What was initialised stays so.
    package static func resume(_ record: EnvironmentRecord) -> Plan { startingAll(of: record, discards: false) }

    private static func startingAll(of record: EnvironmentRecord, discards: Bool) -> Plan {
        var steps = opening(discards: discards)
        let local = record.localServices
        for service in inDependencyOrder(local) {
            steps += startSteps(service, local: local, record, why: reason(service, record.difference))
        }
        steps.append(openRoutes(after: local.flatMap { lastKeys(of: $0, record) }))
        return Plan(steps: steps)
    }

    /// The steps that make an environment that runs into another revision of itself: what is new or changed is started
    /// (again), the rest is left alone, and what is not its own any more stops when nothing needs it.
    ///
    /// - Parameters:
    ///   - old: as it was realised.
    ///   - new: as it is wanted, with ``EnvironmentRecord/renew(_:)`` called for what is to be started anew.
    ///   - ensuresAll: whether also what did not change is started where it does not run (after an error, or when an
    ///     update is replaced by another).
    package static func update(
        from old: EnvironmentRecord, to new: EnvironmentRecord, reasons: [String: String], ensuresAll: Bool
    ) -> Plan {
        let local = new.localServices
        let kept = Dictionary(old.localServices.map { ($0.name, $0.instances) }) { $1 }
        let touched = local.filter { service in
            ensuresAll || old.generation(of: service.name) != new.generation(of: service.name)
                || !Set(service.instances).isSubset(of: kept[service.name] ?? []) || !outstanding(service, new).isEmpty
        }
        var steps = opening(discards: false)
        for service in inDependencyOrder(touched) {
            let why = reasons[service.name] ?? reason(service, new.difference)
            steps += startSteps(service, local: touched, new, why: why)
        }
        steps.append(openRoutes(after: touched.flatMap { lastKeys(of: $0, new) }))
        let wanted = Set(local.flatMap(\.instances))
        var gone = old.localServices.filter { new.spec.service($0.name) == nil || !new.difference.isLocal($0.name) }
        // Of a service that stays, what is over after scaling down.
        let over = old.localServices.filter { kept in !gone.contains { $0.name == kept.name } }.flatMap { service in
            service.instances.filter { !wanted.contains($0) }
        }
        gone = inDependencyOrder(gone)
        var stops = stopSteps(gone, after: ["routes/open"])
        for instance in over {
            stops.append(
                PlannedStep(
                    key: "service/\(instance)/stop", title: "stop \(instance)", reason: "fewer replicas are wanted",
                    action: .stopService(instance), needs: ["routes/open"]))
        }
        steps += stops + [stopStrays(after: ["routes/open"] + stops.map(\.key))]
        steps.append(
            PlannedStep(
                key: "ports/trim", title: "give back unused ports", reason: "nothing listens on them any more",
                action: .trimPorts, needs: ["strays/stop"]))
        return Plan(steps: steps)
    }

    /// The steps that are left of an execution that failed: what succeeded stays as it is, but a service that did not
    /// become ready is started anew.
    package static func retry(_ failed: [StepRecord]) -> [StepRecord] {
        let succeeded = Set(failed.filter { $0.state == .succeeded }.map(\.plan.key))
        return failed.map { step in
            if case .startService(let name) = step.plan.action, !succeeded.contains("service/\(name)/ready") {
                return StepRecord(plan: step.plan)
            }
            return step.state == .succeeded ? step : StepRecord(plan: step.plan)
        }
    }

    // MARK: Parts

    /// - Parameter discards: whether undoing takes the whole environment away, or stops all that it runs.
    private static func opening(discards: Bool) -> [PlannedStep] {
        [
            PlannedStep(
                key: "ports", title: "allocate ports", reason: "every service and every address has its own",
                action: .allocatePorts, needs: [], compensation: discards ? .discard : .stopStrays),
            PlannedStep(
                key: "routes/publish", title: "publish routes", reason: "addresses exist before their callers start",
                action: .publishRoutes, needs: ["ports"], compensation: .closeRoutes),
        ]
    }

    private static func openRoutes(after keys: [String]) -> PlannedStep {
        PlannedStep(
            key: "routes/open", title: "open routes", reason: "everything is ready", action: .openRoutes,
            needs: ["routes/publish"] + keys, compensation: .closeRoutes)
    }

    private static func stopSteps(_ services: [ServiceSpec], after needs: [String]) -> [PlannedStep] {
        inDependencyOrder(services).reversed().flatMap { service in
            let dependents = services.filter { $0.dependsOn.contains { $0.service == service.name } }
            return service.instances.reversed().map { instance in
                PlannedStep(
                    key: "service/\(instance)/stop", title: "stop \(instance)",
                    reason: dependents.isEmpty ? "nothing depends on it" : "its dependents have stopped",
                    action: .stopService(instance),
                    needs: needs + dependents.flatMap(\.instances).map { "service/\($0)/stop" })
            }
        }
    }

    private static func startSteps(
        _ service: ServiceSpec, local: [ServiceSpec], _ record: EnvironmentRecord, why: String
    ) -> [PlannedStep] {
        let prefix = "service/\(service.name)"
        let needs = service.dependsOn.flatMap { dependency -> [String] in
            guard let target = local.first(where: { $0.name == dependency.service }) else { return [] }
            if dependency.condition == .started { return target.instances.map { "service/\($0)/start" } }
            return lastKeys(of: target, record)
        }
        var steps: [PlannedStep] = []
        for instance in service.instances {
            steps += [
                PlannedStep(
                    key: "service/\(instance)/start", title: "start \(instance)", reason: why,
                    action: .startService(instance), needs: ["routes/publish"] + Array(Set(needs)).sorted(),
                    compensation: .stopService(instance)),
                PlannedStep(
                    key: "service/\(instance)/ready", title: "wait until \(instance) is ready",
                    reason: readiness(service), action: .awaitService(instance), needs: ["service/\(instance)/start"]),
            ]
        }
        for index in outstanding(service, record) {
            steps.append(
                PlannedStep(
                    key: "\(prefix)/init/\(index)",
                    title: "initialise \(service.name): \(service.initialisers[index].label)",
                    reason: "once per data volume, before its dependents",
                    action: .initialise(service.name, index: index),
                    needs: index == outstanding(service, record).first
                        ? service.instances.map { "service/\($0)/ready" } : ["\(prefix)/init/\(index - 1)"]))
        }
        return steps
    }

    /// The initialisers that have not run yet.
    private static func outstanding(_ service: ServiceSpec, _ record: EnvironmentRecord) -> Range<Int> {
        let count = service.instances.isEmpty ? 0 : service.initialisers.count
        return min(record.initialisersDone(of: service.name), count)..<count
    }

    /// The keys of the steps after which a service can be used.
    private static func lastKeys(of service: ServiceSpec, _ record: EnvironmentRecord) -> [String] {
        outstanding(service, record).last.map { ["service/\(service.name)/init/\($0)"] }
            ?? service.instances.map { "service/\($0)/ready" }
    }

    private static func reason(_ service: ServiceSpec, _ difference: Difference) -> String {
        guard let entry = difference.entries.first(where: { $0.service == service.name }) else { return "wanted" }
        if [.follows, .carried].contains(entry.kind) { return entry.reasons.joined(separator: ", ") }
        return entry.reasons.isEmpty
            ? entry.kind.rawValue : "\(entry.kind.rawValue): " + entry.reasons.joined(separator: ", ")
    }

    private static func readiness(_ service: ServiceSpec) -> String {
        switch service.probes.readiness?.check {
        case .http(let path, _): "readiness probe: GET \(path)"
        case .tcp: "readiness probe: TCP"
        case .exec(let command): "readiness probe: \(command.joined(separator: " "))"
        case .log(let pattern): "readiness probe: a line that matches /\(pattern)/"
        case nil: service.ports.isEmpty ? "it runs" : "it listens on its first port"
        }
    }

    /// Dependencies first; among equals by name. Validation has refused cycles; should one come through, its members
    /// keep their order by name.
    private static func inDependencyOrder(_ services: [ServiceSpec]) -> [ServiceSpec] {
        var remaining = services.sorted { $0.name < $1.name }
        var ordered: [ServiceSpec] = []
        while !remaining.isEmpty {
            let waiting = Set(remaining.map(\.name))
            let index = remaining.firstIndex { $0.dependsOn.allSatisfy { !waiting.contains($0.service) } } ?? 0
            ordered.append(remaining.remove(at: index))
        }
        return ordered
    }
}

extension InitSpec {
    /// A few words for a step's title.
    package var label: String {
        switch self {
        case .sql(let sql): sql.script.split(separator: "/").last.map(String.init) ?? "sql"
        case .command(let command): command.first ?? "command"
        case .http(let request): "\(request.method) \(request.path)"
        }
    }
}
