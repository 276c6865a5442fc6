import Blueprints

/// Everything that may stand against a request, as values; every check says all that it finds.
///
/// What costs a search among many environments is asked for by the caller first: ``claimsWanted`` names the claims of which
/// the holders matter, so a check costs the same however many siblings there are.
package struct ConflictCheck: Sendable {
    /// Somebody in the same lineage who has a claim.
    package struct Holder: Sendable, Hashable {
        package var environment: EnvironmentID
        package var name: String
        package var service: String
        package var claim: String

        package init(environment: EnvironmentID, name: String, service: String, claim: String) {
            self.environment = environment
            self.name = name
            self.service = service
            self.claim = claim
        }
    }

    /// Composed over its parent.
    package var request: BlueprintSpec
    package var difference: Difference
    /// What the request itself says, composed; to know what it leaves to others.
    package var document: BlueprintDocument
    /// As the parent was at the revision that is stood on; `nil` for one that stands alone.
    package var parent: BlueprintSpec?
    /// The environments that are stood on, as they are now; the parent first, the baseline last.
    package var ancestors: [EnvironmentRecord] = []
    package var holders: [Holder] = []
    /// Its services whose initialisers are still to run.
    package var initialising: Set<String> = []
    /// Of the server; `nil` where its operator does not say.
    package var region: String?

    package init(
        request: BlueprintSpec, difference: Difference, document: BlueprintDocument, parent: BlueprintSpec?,
        ancestors: [EnvironmentRecord] = [], holders: [Holder] = [], region: String? = nil
    ) {
        self.request = request
        self.difference = difference
        self.document = document
        self.parent = parent
        self.ancestors = ancestors
        self.holders = holders
        self.region = region
        initialising = Set(request.services.filter { difference.isLocal($0.name) }.map(\.name))
    }

    /// What the environment's own copies would hold.
    package static func claimsWanted(_ request: BlueprintSpec, _ difference: Difference) -> Set<String> {
        let local = Set(difference.localNames)
        return Set(request.services.filter { local.contains($0.name) }.flatMap(\.claims))
    }

    /// What a change of an environment takes away from the services that an overlay on it runs itself.
    package static func breaking(
        _ overlay: EnvironmentRecord, whenChanging before: BlueprintSpec, to after: BlueprintSpec
    ) -> [Conflict] {
        let own = overlay.localServices
        let names = Set(own.map(\.name))
        var together = after
        together.services = after.services.filter { !names.contains($0.name) } + own
        let others = Set(together.services.map(\.name)).subtracting(names)
        let ports = PortConflicts(request: together, parent: before, local: others, theirs: overlay.id).conflicts()
        let gone = Set(before.services.map(\.name)).subtracting(after.services.map(\.name)).subtracting(names)
        return ports
            + own.flatMap { caller in
                caller.reachedServices.intersection(gone).sorted().map { service -> Conflict in
                    Conflict(
                        .removedServiceNeeded,
                        "\(caller.name) of the overlay \(overlay.name) reaches \(service), which is removed here",
                        mine: Conflict.Side(nil, ["services"]), theirs: .service(caller.name, of: overlay.id),
                        wayOut: "leave \(service) in, or change \(overlay.name) first")
                }
            }
    }

    /// All of them, in the order of the request's services.
    package func conflicts() -> [Conflict] {
        let local = Set(difference.localNames)
        var found: [Conflict] = []
        if let parent {
            found += similarNames(parent)
            found += PortConflicts(request: request, parent: parent, local: local, theirs: ancestors.first?.id)
                .conflicts()
            found += removedButNeeded(local)
            found += initialisersOnInheritedData(local)
            found += routing()
        }
        found += claims(local)
        found += residency()
        return found
    }

    /// A name that is nearly one of the parent's, but not exactly: most likely the same service was meant.
    private func similarNames(_ parent: BlueprintSpec) -> [Conflict] {
        let names = parent.services.map(\.name)
        return difference.entries.filter { $0.kind == .added }.compactMap { entry -> Conflict? in
            guard let near = SimilarName.of(entry.service, among: names) else { return nil }
            return Conflict(
                .similarServiceName,
                "\(entry.service) would be a new service, but the parent has one that is nearly called so: \(near)",
                mine: .service(entry.service), theirs: .service(near, of: ancestors.first?.id),
                wayOut: "call it \(near) if it is the same service, or accept it with `--allow similar_service_name`")
        }
    }

    /// Nobody answers for a service that is removed here.
    private func removedButNeeded(_ local: Set<String>) -> [Conflict] {
        let removed = Set(difference.removed)
        guard !removed.isEmpty else { return [] }
        return request.services.flatMap { caller in
            caller.reachedServices.intersection(removed).sorted().map { service -> Conflict in
                let isOwn = local.contains(caller.name)
                return Conflict(
                    .removedServiceNeeded,
                    "\(caller.name) reaches \(service), which is removed here, so nobody would answer it",
                    severity: isOwn ? .error : .warning,
                    mine: .service(service), theirs: .service(caller.name, of: isOwn ? nil : ancestors.first?.id),
                    wayOut: isOwn
                        ? "take the reference out of \(caller.name), or leave \(service) in"
                        : "remove \(caller.name) too, if nobody asks for it here")
            }
        }
    }

    /// A command or a request of `init` runs with the addresses of its service: where these lead to data of the parent, it
    /// would change what everybody else uses.
    private func initialisersOnInheritedData(_ local: Set<String>) -> [Conflict] {
        request.services.filter { local.contains($0.name) && initialising.contains($0.name) }.flatMap {
            service -> [Conflict] in
            let touches = service.initialisers.contains { if case .sql = $0 { false } else { true } }
            guard touches else { return [] }
            let inherited = service.reachedServices.sorted().compactMap { request.service($0) }.filter {
                !local.contains($0.name) && $0.ports.first?.transport == .tcp
            }
            return inherited.map { data -> Conflict in
                Conflict(
                    .initOnInheritedData,
                    "the initialiser of \(service.name) would run against \(data.name), which is inherited: everybody uses it",
                    mine: .service(service.name, "init"), theirs: .service(data.name, of: ancestors.first?.id),
                    wayOut:
                        "give the overlay data of its own (`\(data.name): {data: empty}`; a branch of it is not built yet), or take the "
                        + "initialiser out here with `init: null`")
            }
        }
    }

    /// Two who hold one thing: a queue's messages would go to either, a job would run twice.
    private func claims(_ local: Set<String>) -> [Conflict] {
        let byClaim = Dictionary(grouping: holders, by: \.claim)
        var found: [Conflict] = []
        for service in request.services where local.contains(service.name) {
            for claim in service.claims {
                let others = (byClaim[claim] ?? []).sorted { ($0.name, $0.service) < ($1.name, $1.service) }
                for holder in others { found.append(conflict(service, claim, holder)) }
            }
        }
        return found + ownClaims(local)
    }

    private func conflict(_ service: ServiceSpec, _ claim: String, _ holder: Holder) -> Conflict {
        Conflict(
            .claimHeld, "\(service.name) claims \(claim), which \(holder.service) of \(holder.name) holds",
            mine: .service(service.name, "claims"),
            theirs: .service(holder.service, "claims", of: holder.environment),
            wayOut:
                "give \(service.name) something of its own and claim that (`claims: [\(claim)-\(request.name)]`), or "
                + "say `claims: []` where it does not take it")
    }

    /// Within the request.
    private func ownClaims(_ local: Set<String>) -> [Conflict] {
        var first: [String: String] = [:]
        return request.services.filter { local.contains($0.name) }.flatMap { service in
            service.claims.compactMap { claim -> Conflict? in
                guard let holder = first[claim] else {
                    first[claim] = service.name
                    return nil
                }
                return Conflict(
                    .claimHeld, "\(service.name) and \(holder) both claim \(claim)",
                    mine: .service(service.name, "claims"),
                    theirs: .service(holder, "claims"), wayOut: "leave the claim with one of them")
            }
        }
    }

    /// Settings of a lineage are its baseline's: another one here would be said and not done.
    private func routing() -> [Conflict] {
        guard let root = ancestors.last, let written = document.value["routing"] else { return [] }
        let (mine, theirs) = (request.routing, root.spec.routing)
        var found: [Conflict] = []
        func compare(_ key: String, _ mine: String, _ theirs: String) {
            guard written[key] != nil, mine != theirs else { return }
            found.append(
                Conflict(
                    .headerContradicts,
                    "routing.\(key) is \(mine) here and \(theirs) in \(root.name), whose setting counts for the whole lineage",
                    mine: Conflict.Side(nil, ["routing", key]), theirs: Conflict.Side(root.id, ["routing", key]),
                    wayOut: "leave it out here, or change it in \(root.name)"))
        }
        compare("headerName", mine.headerName, theirs.headerName)
        compare("propagateHeader", "\(mine.propagateHeader)", "\(theirs.propagateHeader)")
        compare("onUnknownContext", mine.onUnknownContext.rawValue, theirs.onUnknownContext.rawValue)
        compare("onLeak", mine.onLeak.rawValue, theirs.onLeak.rawValue)
        compare("attribution", mine.attribution.rawValue, theirs.attribution.rawValue)
        return found
    }

    /// A region is allowed only where every environment of the lineage allows it.
    private func residency() -> [Conflict] {
        var found: [Conflict] = []
        if let mine = request.residency {
            for ancestor in ancestors {
                guard let theirs = ancestor.spec.residency else { continue }
                let refused = mine.allow.filter { !theirs.permits($0) }
                guard !refused.isEmpty else { continue }
                found.append(
                    Conflict(
                        .residencyContradicts,
                        "\(refused.joined(separator: ", ")) is allowed here, but not in \(ancestor.name), whose services and "
                            + "data are inherited", mine: Conflict.Side(nil, ["residency", "allow"]),
                        theirs: Conflict.Side(ancestor.id, ["residency"]),
                        wayOut: "allow only what \(ancestor.name) allows"))
            }
        }
        let rules =
            [(EnvironmentID?.none, request.name, request.residency)]
            + ancestors.map { (Optional($0.id), $0.name, $0.spec.residency) }
        for (id, name, residency) in rules {
            guard let residency else { continue }
            let side = Conflict.Side(nil, id == nil ? ["residency"] : [])
            let theirs = id.map { Conflict.Side($0, ["residency"]) }
            if let region {
                guard !residency.permits(region) else { continue }
                found.append(
                    Conflict(
                        .residencyContradicts, "this server is in \(region), where \(name) may not run", mine: side,
                        theirs: theirs, wayOut: "use a server in another region"))
            } else if id == nil {
                found.append(
                    Conflict(
                        .residencyUnknown, "\(name) says where it may run, but this server does not say where it is",
                        mine: side, theirs: theirs,
                        wayOut:
                            "start the server with MICROSTAX_REGION=<region>, or accept it with `--allow residency_unknown`"
                    ))
            }
        }
        return found
    }
}
