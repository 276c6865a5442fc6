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
    package static func between(request: BlueprintSpec, parent: BlueprintSpec?) -> Difference {
        guard let parent else {
            return Difference(entries: request.services.map { Entry(service: $0.name, kind: .added) })
        }
        var entries: [String: Entry] = [:]
        for service in request.services {
            guard let theirs = parent.service(service.name) else {
                entries[service.name] = Entry(service: service.name, kind: .added)
                continue
            }
            let fields = changedFields(service, theirs)
            entries[service.name] = Entry(
                service: service.name, kind: fields.isEmpty ? .inherited : .changed, reasons: fields)
        }
        for service in parent.services where request.service(service.name) == nil {
            entries[service.name] = Entry(service: service.name, kind: .removed)
        }
        closeOverTCP(request, parent, &entries)
        return Difference(entries: Array(entries.values))
    }

    /// Repeats until nothing new follows; at most once per service.
    private static func closeOverTCP(
        _ request: BlueprintSpec, _ parent: BlueprintSpec, _ entries: inout [String: Entry]
    ) {
        // Also what was removed: whoever reached it would go on reaching the parent's copy.
        let differing: Set<Kind> = [.added, .changed, .follows, .removed]
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

    /// The fields in which two normalised services differ, maps by key, sorted as a reader of the spec expects them.
    private static func changedFields(_ mine: ServiceSpec, _ theirs: ServiceSpec) -> [String] {
        var fields: [String] = []
        func compare<T: Equatable>(_ name: String, _ value: KeyPath<ServiceSpec, T>) {
            if mine[keyPath: value] != theirs[keyPath: value] { fields.append(name) }
        }
        compare("image", \.image)
        compare("command", \.command)
        compare("args", \.args)
        compare("workdir", \.workdir)
        compare("build", \.build)
        compare("user", \.user)
        compare("replicas", \.replicas)
        compare("ports", \.ports)
        for key in Set(mine.env.keys).union(theirs.env.keys).sorted() where mine.env[key] != theirs.env[key] {
            fields.append("env.\(key)")
        }
        compare("secrets", \.secrets)
        compare("expose", \.expose)
        compare("dependsOn", \.declaredDependencies)
        compare("probes", \.probes)
        compare("volumes", \.volumes)
        compare("init", \.initialisers)
        compare("restart", \.restart)
        compare("activation", \.activation)
        compare("stopSignal", \.stopSignal)
        compare("stopGraceSeconds", \.stopGraceSeconds)
        // A field that the list above forgets must still make the service local: running too much is a cost, running
        // too little is a false pass.
        var (mine, theirs) = (mine, theirs)
        (mine.dependsOn, theirs.dependsOn) = ([], [])
        (mine.literalServices, theirs.literalServices) = ([], [])
        if fields.isEmpty, mine != theirs { fields.append("spec") }
        return fields
    }
}

extension ServiceSpec {
    /// Without those that follow from references: what is referred to is compared where it is written, and which
    /// references count for the order depends on the other services.
    fileprivate var declaredDependencies: [DependencySpec] { dependsOn.filter { $0.origin == .declared } }

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
