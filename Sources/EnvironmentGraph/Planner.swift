import Blueprints

/// Plans: pure and deterministic, so that the same request always gives the same steps under the same keys.
package enum Planner {
    /// The steps that realise a new environment. Steps without a path between them may run side by side.
    package static func create(_ spec: BlueprintSpec, _ difference: Difference) -> Plan {
        var steps = [
            PlannedStep(
                key: "ports", title: "allocate ports", reason: "every service and every address has its own",
                action: .allocatePorts, needs: []),
            PlannedStep(
                key: "routes/publish", title: "publish routes", reason: "addresses exist before their callers start",
                action: .publishRoutes, needs: ["ports"]),
        ]
        let local = spec.services.filter { difference.isLocal($0.name) }
        for service in inDependencyOrder(local) {
            steps += startSteps(service, local: local, difference)
        }
        steps.append(
            PlannedStep(
                key: "routes/open", title: "open routes", reason: "everything is ready", action: .openRoutes,
                needs: ["routes/publish"] + local.map { lastKey(of: $0) }))
        return Plan(steps: steps)
    }

    /// The steps that remove an environment and everything that it has.
    package static func delete(_ spec: BlueprintSpec, _ difference: Difference) -> Plan {
        let close = PlannedStep(
            key: "routes/close", title: "close routes", reason: "no new request starts", action: .closeRoutes, needs: []
        )
        let stops = stopSteps(spec, difference, after: [close.key])
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
    package static func stop(_ spec: BlueprintSpec, _ difference: Difference) -> Plan {
        Plan(steps: stopSteps(spec, difference, after: []))
    }

    /// The steps that start a stopped environment again. Data is there already, so nothing is initialised.
    package static func resume(_ spec: BlueprintSpec, _ difference: Difference) -> Plan {
        var bare = spec
        for index in bare.services.indices { bare.services[index].initialisers = [] }
        return create(bare, difference)
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

    private static func stopSteps(
        _ spec: BlueprintSpec, _ difference: Difference, after needs: [String]
    ) -> [PlannedStep] {
        let local = spec.services.filter { difference.isLocal($0.name) }
        return inDependencyOrder(local).reversed().map { service in
            let dependents = local.filter { $0.dependsOn.contains { $0.service == service.name } }
            return PlannedStep(
                key: "service/\(service.name)/stop", title: "stop \(service.name)",
                reason: dependents.isEmpty ? "nothing depends on it" : "its dependents have stopped",
                action: .stopService(service.name), needs: needs + dependents.map { "service/\($0.name)/stop" })
        }
    }

    private static func startSteps(
        _ service: ServiceSpec, local: [ServiceSpec], _ difference: Difference
    ) -> [PlannedStep] {
        let prefix = "service/\(service.name)"
        let needs = service.dependsOn.compactMap { dependency -> String? in
            guard let target = local.first(where: { $0.name == dependency.service }) else { return nil }
            return dependency.condition == .started ? "service/\(target.name)/start" : lastKey(of: target)
        }
        var steps = [
            PlannedStep(
                key: "\(prefix)/start", title: "start \(service.name)", reason: reason(service, difference),
                action: .startService(service.name), needs: ["routes/publish"] + Array(Set(needs)).sorted()),
            PlannedStep(
                key: "\(prefix)/ready", title: "wait until \(service.name) is ready", reason: readiness(service),
                action: .awaitService(service.name), needs: ["\(prefix)/start"]),
        ]
        for (index, initialiser) in service.initialisers.enumerated() {
            steps.append(
                PlannedStep(
                    key: "\(prefix)/init/\(index)", title: "initialise \(service.name): \(initialiser.label)",
                    reason: "once per data volume, before its dependents",
                    action: .initialise(service.name, index: index),
                    needs: [index == 0 ? "\(prefix)/ready" : "\(prefix)/init/\(index - 1)"]))
        }
        return steps
    }

    /// The key of the step after which a service can be used.
    private static func lastKey(of service: ServiceSpec) -> String {
        service.initialisers.isEmpty
            ? "service/\(service.name)/ready" : "service/\(service.name)/init/\(service.initialisers.count - 1)"
    }

    private static func reason(_ service: ServiceSpec, _ difference: Difference) -> String {
        guard let entry = difference.entries.first(where: { $0.service == service.name }) else { return "wanted" }
        if entry.kind == .follows { return entry.reasons.joined(separator: ", ") }
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
