import Blueprints

extension Difference {
    /// Compares a composed, normalised request with the parent's, service by service.
    ///
    /// Locality closes over TCP: bytes cannot be routed per request, so an unchanged service that reaches a changed one
    /// over TCP becomes local too (it "follows" it); otherwise a test would read and write the parent's data.
    ///
    /// - Parameters:
    ///   - request: every service wanted, also those that the request does not mention.
    ///   - parent: `nil` for an environment of its own, whose services are then all added.
    ///   - forgetful: services that are known to forward no context, with how that is known. They become local where a call
    ///     of theirs may lead to something local (`routing.carry`).
    package static func between(
        request: BlueprintSpec, parent: BlueprintSpec?, carrying forgetful: [String: String] = [:]
    ) -> Difference {
        guard let parent else {
            return Difference(entries: request.services.map { Entry(service: $0.name, kind: .added) })
        }
        var entries: [String: Entry] = [:]
        for service in request.services {
            guard let theirs = parent.service(service.name) else {
                entries[service.name] = Entry(service: service.name, kind: .added)
                continue
            }
            entries[service.name] = compared(service, theirs)
        }
        for service in parent.services where request.service(service.name) == nil {
            entries[service.name] = Entry(service: service.name, kind: .removed)
        }
        closeOverTCP(request, parent, &entries)
        if !forgetful.isEmpty { carry(forgetful, request, parent, &entries) }
        return Difference(entries: Array(entries.values))
    }

    /// A copy of one's own for each that would lose the context on the way to something local, and for what follows from that.
    private static func carry(
        _ forgetful: [String: String], _ request: BlueprintSpec, _ parent: BlueprintSpec,
        _ entries: inout [String: Entry]
    ) {
        // Removed ones too: a call that forgets its context would be answered by the parent's copy.
        let targets = Set(entries.values.filter { $0.kind.isLocal || $0.kind == .removed }.map(\.service))
        // What leads to a target, by calls over however many services.
        var leading = targets
        var grew = true
        while grew {
            grew = false
            for service in request.services where !leading.contains(service.name) {
                guard !service.reachedServices.isDisjoint(with: leading) else { continue }
                leading.insert(service.name)
                grew = true
            }
        }
        for (name, why) in forgetful where leading.contains(name) && entries[name]?.kind == .inherited {
            entries[name] = Entry(service: name, kind: .carried, reasons: ["forwards no context (\(why))"])
        }
        closeOverTCP(request, parent, &entries)
    }

    /// Repeats until nothing new follows; at most once per service.
    private static func closeOverTCP(
        _ request: BlueprintSpec, _ parent: BlueprintSpec, _ entries: inout [String: Entry]
    ) {
        // Also what was removed: whoever reached it would go on reaching the parent's copy.
        let differing: Set<Kind> = [.added, .changed, .follows, .carried, .removed]
        var grew = true
        while grew {
            grew = false
            for service in request.services where entries[service.name]?.kind == .inherited {
                let followed = service.reachedServices.sorted().filter { name in
                    guard let kind = entries[name]?.kind, differing.contains(kind) else { return false }
                    return (request.service(name) ?? parent.service(name))?.ports.first?.transport == .tcp
                }
                guard !followed.isEmpty else { continue }
                entries[service.name] = Entry(
                    service: service.name, kind: .follows, reasons: followed.map { "follows \($0)" })
                grew = true
            }
        }
    }

    private static func compared(_ mine: ServiceSpec, _ theirs: ServiceSpec) -> Entry {
        // Most services of an overlay are its parent's own, word by word.
        if mine == theirs { return Entry(service: mine.name, kind: .inherited) }
        let changes = FieldDifference.changes(from: ServiceFields(theirs).values, to: ServiceFields(mine).values)
        guard changes.isEmpty else {
            var reasons: [String] = []
            for change in changes {
                let group = ServiceFields.group(of: change.path)
                if reasons.last != group { reasons.append(group) }
            }
            return Entry(service: mine.name, kind: .changed, reasons: reasons, changes: changes)
        }
        // A field that the records forget must still make the service local: running too much is a cost, running too
        // little is a false pass.
        var (mine, theirs) = (mine, theirs)
        (mine.dependsOn, theirs.dependsOn) = ([], [])
        (mine.literalServices, theirs.literalServices) = ([], [])
        return Entry(
            service: mine.name, kind: mine == theirs ? .inherited : .changed, reasons: mine == theirs ? [] : ["spec"])
    }
}

extension ServiceSpec {
    /// Every other service that this one calls or waits for, however that became known.
    package var reachedServices: Set<String> {
        Set(dependsOn.map(\.service)).union(addressedServices).union(literalServices).subtracting([name])
    }

    /// The services whose address this one is given, itself included where it asks for its own.
    package var addressedServices: Set<String> {
        var names: Set<String> = []
        for value in env.values {
            for case .service(let name, _) in Template(parsing: value).references { names.insert(name) }
        }
        return names
    }
}
