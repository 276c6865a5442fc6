/// A folder that may hold a program, with what says how it is started.
struct ProgramFolder {
    struct Service {
        var name: String
        var fields: [DraftEntry]
        var comments: [String]
        var source: DiscoveredFile
        var line = 1
    }

    /// From the folder that is looked through on; empty for itself.
    let path: String
    let files: [DiscoveredFile]
    /// Of the whole folder that is looked through.
    let all: [DiscoveredFile]

    static let manifests: Set<String> = [
        "package.json", "go.mod", "pyproject.toml", "requirements.txt", "Cargo.toml", "pom.xml", "build.gradle",
        "build.gradle.kts", "Gemfile", "composer.json", "Package.swift", "mix.exs",
    ]

    /// Files whose being there says how a program is started.
    static let entryPoints: Set<String> = [
        "main.go", "manage.py", "main.py", "app.py", "wsgi.py", "server.py", "config.ru", "package-lock.json",
        "pnpm-lock.yaml", "yarn.lock", "index.php", "mvnw", "gradlew",
    ]

    /// Nothing in it says that there is a program.
    var isEmpty: Bool { manifest == nil && dockerfile == nil && procfile == nil }

    var whyNothing: String { "it does not say how something is started" }

    var procfile: DiscoveredFile? { file("Procfile") }
    var dockerfile: DiscoveredFile? { files.first { Blueprint.isDockerfile($0.name) } }
    var manifest: DiscoveredFile? { files.first { Self.manifests.contains($0.name) || $0.name.hasSuffix(".csproj") } }

    func file(_ name: String) -> DiscoveredFile? { files.first { $0.name == name } }

    /// What a Procfile says counts before what a manifest lets one guess, and that before an image to build.
    func services(project: String) -> [Service] {
        let label = path.split(separator: "/").last.map(String.init) ?? project
        if let procfile {
            let found = processes(of: procfile, label)
            if !found.isEmpty { return found }
        }
        let found = ProgramStart.services(of: self, label: label)
        if !found.isEmpty { return found.map(withDocker) }
        return dockerfile.map { [image(of: $0, label, project: project)] } ?? []
    }

    /// `web: bundle exec puma -p $PORT`, one for each line. <https://devcenter.heroku.com/articles/procfile>
    private func processes(of procfile: DiscoveredFile, _ label: String) -> [Service] {
        var result: [Service] = []
        let lines = procfile.text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() where result.count < 50 {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let type = String(line[..<colon].filter { $0 != " " })
            let command = String(line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" })
            let isName =
                !type.isEmpty
                && type.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                        || byte == 0x5F
                        || byte == 0x2D
                }
            guard isName, !command.isEmpty, !command.utf8.contains(0), type != "release" else { continue }
            var fields = [DraftEntry("command", .words(["sh", "-c", "exec " + command]))]
            if type == "web" {
                fields.append(DraftEntry("ports", .list([.text("8080")])))
                fields.append(DraftEntry("expose", .plain("true")))
            }
            let name = type == "web" ? label : path.isEmpty ? type : "\(label)-\(type)"
            result.append(
                Service(
                    name: name, fields: fields, comments: ["From \(procfile.path), line \(index + 1)."],
                    source: procfile,
                    line: index + 1))
        }
        return result
    }

    /// The Dockerfile of a program says which port it listens on.
    private func withDocker(_ service: Service) -> Service {
        guard let dockerfile else { return service }
        let ports = Self.exposed(dockerfile)
        guard !ports.isEmpty else { return service }
        var service = service
        service.fields.removeAll { $0.key == "ports" }
        service.fields.append(DraftEntry("ports", .list(ports.map(Self.portNode)), remark: "from \(dockerfile.path)"))
        return service
    }

    private func image(of dockerfile: DiscoveredFile, _ label: String, project: String) -> Service {
        var taken: Set<String> = []
        let tag = ComposeNames.label(path.isEmpty ? project : "\(project)-\(label)", or: "app", taken: &taken)
        var fields = [DraftEntry("image", .text(tag))]
        let ports = Self.exposed(dockerfile)
        if !ports.isEmpty { fields.append(DraftEntry("ports", .list(ports.map(Self.portNode)))) }
        return Service(
            name: label, fields: fields,
            comments: [
                "From \(dockerfile.path): build it under this name, or put the `command` that starts the program on this "
                    + "machine in its place."
            ], source: dockerfile)
    }

    /// `EXPOSE 8080 9090/tcp`.
    private static func exposed(_ dockerfile: DiscoveredFile) -> [Int] {
        var result: [Int] = []
        for line in dockerfile.text.split(whereSeparator: \.isNewline) {
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.first?.uppercased() == "EXPOSE" else { continue }
            for word in words.dropFirst() {
                let parts = word.split(separator: "/")
                guard let number = parts.first.flatMap({ Int($0) }), (1...65_535).contains(number),
                    !result.contains(number),
                    parts.count < 2 || parts[1].lowercased() == "tcp", result.count < 20
                else { continue }
                result.append(number)
            }
        }
        return result
    }

    private static func portNode(_ number: Int) -> DraftNode {
        let transport = WellKnownPorts.transport(number)
        return .text(transport == .http ? "\(number)" : "\(number)/\(transport.rawValue)")
    }
}
