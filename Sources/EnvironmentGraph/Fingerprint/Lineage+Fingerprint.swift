import Blueprints

extension Lineage {
    /// What an environment is: its settings, and for every service what answers there. Names of environments mean nothing:
    /// an environment above is said by how far above it is.
    package var graphForm: CanonicalValue {
        let own = environments[0]
        var services: [String: CanonicalValue] = [:]
        let places = self.places
        let specs = environments.map { Dictionary($0.spec.services.map { ($0.name, $0) }) { $1 } }
        for name in self.services {
            let place = places[name]
            let spec = place.flatMap { specs[$0][name] }
            services[name] = .members([
                "provider": place.map { .number($0) }, "spec": spec?.canonicalForm,
                "removed": spec == nil ? .flag(true) : nil,
            ])
        }
        return .members([
            "form": .text("graph/1"), "mode": .text(own.mode.rawValue), "settings": own.spec.canonicalSettings,
            "services": .map(services),
        ])
    }

    /// Who answers for each service: how far above, or nobody.
    package var resolutionForm: CanonicalValue {
        var services: [String: CanonicalValue] = [:]
        for name in self.services {
            let resolution = resolve(name)
            services[name] = .members([
                "provider": resolution.place(in: self).map { .number($0) },
                "kind": resolution.provider.map { .text($0.kind.rawValue) },
                "absence": resolution.absence.map { .text($0.kind) },
            ])
        }
        return .members(["form": .text("resolution/1"), "services": .map(services)])
    }
}

extension Resolution {
    /// How many environments above the asked one its provider is.
    fileprivate func place(in lineage: Lineage) -> Int? {
        provider.flatMap { provider in lineage.environments.firstIndex { $0.id == provider.environment } }
    }
}

extension Plan {
    /// What is done after what; why, and how it is called, means nothing.
    package var canonicalForm: CanonicalValue {
        .members([
            "form": .text("plan/1"),
            "steps": .set(
                steps.map { step in
                    .members([
                        "key": .text(step.key), "action": .text(step.action.canonicalName),
                        "needs": step.needs.isEmpty ? nil : .set(step.needs.map { .text($0) }),
                        "compensation": step.compensation.map { .text($0.canonicalName) },
                    ])
                }),
        ])
    }
}

extension PlannedStep.Action {
    fileprivate var canonicalName: String {
        switch self {
        case .allocatePorts: "allocatePorts"
        case .publishRoutes: "publishRoutes"
        case .startService(let name): "startService \(name)"
        case .awaitService(let name): "awaitService \(name)"
        case .initialise(let name, let index): "initialise \(name) \(index)"
        case .openRoutes: "openRoutes"
        case .closeRoutes: "closeRoutes"
        case .stopService(let name): "stopService \(name)"
        case .stopStrays: "stopStrays"
        case .removeResources: "removeResources"
        case .releasePorts: "releasePorts"
        case .trimPorts: "trimPorts"
        case .discard: "discard"
        }
    }
}
