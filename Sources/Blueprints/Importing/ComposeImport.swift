/// Turns a project of Compose into the draft of a Blueprint.
///
/// First what all services need to know of each other (names, ports, variables), then each service by itself, last what
/// only shows in the whole: dependencies that go round.
struct ComposeImport {
    let project: ComposeProject
    let options: ImportOptions
    let loading: ComposeLoading
    let notes: ImportNotes

    func draft() -> (entries: [DraftEntry], header: [String]) {
        let chosen = chosenServices()
        let names = ComposeNames(chosen, notes: notes)
        let variables = ComposeVariables(options.variables, notes)
        let name = blueprintName(variables)
        noteVolumes()
        var services = chosen.map { entry in
            ComposeService(
                entry, name: names.services[entry.key] ?? "service", project: name, names: names, variables: variables,
                notes: notes)
        }
        for index in services.indices { services[index].readPorts() }
        for index in services.indices { services[index].readEnvironment(loading) }
        learnPorts(&services, names)
        let secrets = ComposeSecrets(definitions: project.secrets, variables: variables, loading: loading, notes: notes)
        let ports = Dictionary(services.map { ($0.name, $0.ports) }) { first, _ in first }
        for index in services.indices {
            services[index].convert(ports: ports, secrets: secrets, left: Set(project.services.map(\.key)))
        }
        letGoOfCycles(&services)
        var blocks = services.map { $0.entry() }
        for index in blocks.indices { blocks[index].hasBlankLineBefore = index > 0 }
        var all = DraftEntry("services", .map(blocks))
        all.hasBlankLineBefore = true
        let header = [
            "Imported from \(project.file.name) by `microstax blueprint import`.",
            "Comments say what needs your attention.",
        ]
        return ([DraftEntry("name", .text(name)), all], header)
    }

    /// Without those of profiles that nobody asked for, as Compose does it; all of them where nothing would be left.
    private func chosenServices() -> [LocatedValue.Entry] {
        let chosen = project.services.filter { entry in
            let own = entry.value["profiles"]?.items.compactMap(\.text) ?? []
            return own.isEmpty || options.profiles.contains("*") || !options.profiles.isDisjoint(with: own)
        }
        guard !chosen.isEmpty else { return project.services }
        let keys = Set(chosen.map(\.key))
        for entry in project.services where !keys.contains(entry.key) {
            let profile = entry.value["profiles"]?.items.first?.text ?? ""
            notes.add(
                .leftOut, "services.\(entry.key)", "it is of a profile; take it with --profile \(profile)",
                at: entry.location)
        }
        return chosen
    }

    private func blueprintName(_ variables: ComposeVariables) -> String {
        var taken: Set<String> = []
        if let name = options.name { return ComposeNames.label(name, or: "app", taken: &taken) }
        if let name = project.name, let text = name.text {
            return ComposeNames.label(variables.plain(text, "name", at: name.location), or: "app", taken: &taken)
        }
        let file = project.file.name.split(separator: "/").last.map(String.init) ?? ""
        var stem = file.split(separator: ".").first.map(String.init) ?? ""
        for suffix in ["-compose", "_compose"] where stem.hasSuffix(suffix) { stem = String(stem.dropLast(8)) }
        if stem.isEmpty || ["compose", "docker", "docker-compose", "stdin"].contains(stem) {
            stem = project.file.folder.split(separator: "/").last.map(String.init) ?? "app"
        }
        return ComposeNames.label(stem, or: "app", taken: &taken)
    }

    private func noteVolumes() {
        for entry in project.volumes?.entries ?? [] {
            guard case .mapping(let fields) = entry.value.content, !fields.isEmpty else { continue }
            let isExternal = entry.value["external"] != nil
            notes.add(
                isExternal ? .attention : .leftOut, "volumes.\(entry.key)",
                isExternal
                    ? "each environment has a volume of its own, which begins empty"
                    : "how it is kept is the platform's",
                at: entry.location)
        }
        for entry in project.secrets?.entries ?? [] { notes.add(.carried, "secrets.\(entry.key)", at: entry.location) }
    }

    /// Compose needs no list of ports between services; whoever is called at a port has it.
    private func learnPorts(_ services: inout [ComposeService], _ names: ComposeNames) {
        let places = Dictionary(services.enumerated().map { ($1.name, $0) }) { first, _ in first }
        var learned: [(place: Int, port: Int, from: String)] = []
        for service in services {
            for variable in service.variables {
                for case .text(let text) in variable.pieces {
                    for found in LiteralAddresses.occurrences(in: text, among: names.known) {
                        guard let port = found.port, (1...65_535).contains(port),
                            let name = names.services[found.service],
                            name != service.name, let place = places[name]
                        else { continue }
                        learned.append((place, port, service.name))
                    }
                }
            }
        }
        for (place, port, from) in learned { services[place].addPort(port, remark: "\(from) calls it there") }
        for index in services.indices { services[index].addWellKnownPort() }
    }

    /// Compose refuses such files; they are taken without the last step of the circle.
    private func letGoOfCycles(_ services: inout [ComposeService]) {
        let edges = services.flatMap { service in
            service.dependencies.map {
                DependencyOrder.Edge(from: service.name, to: $0.service, origin: .declared)
            }
        }
        let dropped = DependencyOrder(edges).dropped
        guard !dropped.isEmpty else { return }
        for index in services.indices {
            let name = services[index].name
            for dependency in services[index].dependencies
            where dropped.contains(.init(from: name, to: dependency.service, origin: .declared)) {
                services[index].attention(
                    "depends_on", "`\(dependency.service)` waits for this service, too; it starts without waiting",
                    at: dependency.location)
            }
            services[index].dependencies.removeAll {
                dropped.contains(.init(from: name, to: $0.service, origin: .declared))
            }
        }
    }
}
