/// Checks what services say about each other, and settles their dependencies.
struct ServiceRelations {
    let findings: Findings
    let isPartial: Bool
    let removed: [String: SourceLocation]

    func check(_ drafts: inout [ServiceDraft]) {
        let names = Set(drafts.map(\.spec.name))
        for draft in drafts { checkMentions(draft, names) }
        checkSecrets(drafts)
        checkHostPorts(drafts)
        settle(&drafts, names)
    }

    private func checkMentions(_ draft: ServiceDraft, _ names: Set<String>) {
        for mention in draft.mentions {
            if mention.service == draft.spec.name {
                guard mention.origin == .declared else { continue }
                findings.error(
                    "self_dependency", "`\(shortened(mention.service))` depends on itself", at: mention.location,
                    hint: "take it out of `dependsOn`")
            } else if names.contains(mention.service) {
                continue
            } else if let removal = removed[mention.service] {
                findings.warning(
                    "removed_service",
                    "`\(draft.spec.name)` needs `\(mention.service)` (\(mention.place)), which is removed here",
                    at: removal)
            } else if !isPartial {
                findings.error(
                    "unknown_service",
                    "`services.\(draft.spec.name).\(mention.place)`: there is no service `\(shortened(mention.service))`",
                    at: mention.location,
                    hint: NearMiss.nearest(mention.service, among: names).map { name in
                        mention.origin == .reference ? "did you mean ${services.\(name).…}?" : "did you mean `\(name)`?"
                    })
            }
        }
    }

    /// A secret's name means one secret in the whole environment, so every service can refer to it.
    private func checkSecrets(_ drafts: [ServiceDraft]) {
        var first: [String: (source: SecretSpec.Source, service: String)] = [:]
        for draft in drafts {
            for secret in draft.spec.secrets {
                guard let before = first[secret.name] else {
                    first[secret.name] = (secret.source, draft.spec.name)
                    continue
                }
                // A value that is concealed from who checks may be any.
                let isConcealed = [before.source, secret.source].contains(.literal(SecretPlace.placeholder))
                guard before.source != secret.source, !isConcealed else { continue }
                findings.error(
                    "secret_mismatch", "`\(before.service)` gives the secret `\(secret.name)` another value",
                    at: draft.secretLocations[secret.name] ?? draft.location,
                    hint: "a secret's name means one value in the whole environment; choose another name")
            }
        }
        guard !isPartial else { return }
        for draft in drafts {
            for (name, location) in draft.secretReferences where first[name] == nil {
                findings.error(
                    "unknown_secret", "there is no secret `\(shortened(name))`", at: location,
                    hint: NearMiss.nearest(name, among: first.keys).map { "did you mean ${secrets.\($0)}?" }
                        ?? "list it under `secrets` of the service that owns it")
            }
        }
    }

    private func checkHostPorts(_ drafts: [ServiceDraft]) {
        var first: [Int: String] = [:]
        for draft in drafts {
            for port in draft.spec.ports {
                guard let number = port.hostPort else { continue }
                let owner = "\(draft.spec.name).\(port.name)"
                if let before = first[number] {
                    findings.error(
                        "duplicate_port", "`\(owner)` wants the host's port \(number), and so does `\(before)`",
                        at: draft.portLocations[port.name] ?? draft.location)
                } else {
                    first[number] = owner
                }
            }
        }
    }

    /// Fills in `dependsOn`: what is declared counts before what was seen in `env`; what would close a cycle is let go.
    ///
    /// A dependency on a service that the overlay removes stays: it orders nothing, and without it a service that is as
    /// it was in the parent would seem changed.
    private func settle(_ drafts: inout [ServiceDraft], _ names: Set<String>) {
        var edges: [DependencyOrder.Edge: SourceLocation] = [:]
        for index in drafts.indices {
            let own = drafts[index].spec.name
            var found: [String: ServiceDraft.Mention] = [:]
            for mention in drafts[index].mentions where mention.service != own {
                guard names.contains(mention.service) || isPartial || removed[mention.service] != nil else { continue }
                if let before = found[mention.service], rank(before.origin) <= rank(mention.origin) { continue }
                found[mention.service] = mention
            }
            drafts[index].spec.dependsOn = found.values.map {
                DependencySpec(service: $0.service, condition: $0.condition, origin: $0.origin)
            }.sorted { $0.service < $1.service }
            for mention in found.values {
                edges[.init(from: own, to: mention.service, origin: mention.origin)] = mention.location
            }
        }
        let order = DependencyOrder(Array(edges.keys))
        for cycle in order.cycles {
            guard let location = edges[cycle.edge] else { continue }
            report(cycle, at: location)
        }
        for index in drafts.indices {
            let own = drafts[index].spec.name
            drafts[index].spec.dependsOn.removeAll {
                order.dropped.contains(.init(from: own, to: $0.service, origin: $0.origin))
            }
        }
    }

    private func rank(_ origin: DependencySpec.Origin) -> Int {
        switch origin {
        case .declared: 0
        case .reference: 1
        case .inferred: 2
        }
    }

    private func report(_ cycle: DependencyOrder.Cycle, at location: SourceLocation) {
        let names = cycle.path.count > 12 ? cycle.path.prefix(6) + ["…"] + cycle.path.suffix(5) : cycle.path[...]
        let path = names.joined(separator: " → ")
        if cycle.isDeclared {
            findings.error(
                "dependency_cycle", "these services wait for each other: \(path)", at: location,
                hint: "take `\(cycle.edge.to)` out of dependsOn of `\(cycle.edge.from)` and refer to it in `env` as "
                    + "${services.\(cycle.edge.to).url}; `condition: started` does not help, each would still wait")
        } else {
            findings.warning(
                "reference_cycle",
                "`\(cycle.edge.from)` is started without waiting for `\(cycle.edge.to)`, because of \(path)",
                at: location,
                hint: "the address is right from the start; `\(cycle.edge.from)` must try again until it is answered")
        }
    }
}
