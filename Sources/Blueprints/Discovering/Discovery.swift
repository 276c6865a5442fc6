/// A file that was found in a folder.
package struct DiscoveredFile: Sendable {
    /// From the folder on: `web/package.json`.
    package var path: String
    /// Its beginning, at least.
    package var bytes: [UInt8]

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }

    /// Empty for what lies in the folder itself.
    var folder: String { path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "" }
    var name: String { String(path.split(separator: "/").last ?? "") }
    var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension Blueprint {
    /// Whether a file of the name can say something about a Blueprint.
    package static func canDiscover(file name: String) -> Bool {
        ProgramFolder.manifests.contains(name) || ProgramFolder.entryPoints.contains(name) || name.hasSuffix(".csproj")
            || name == "Procfile" || isDockerfile(name) || isComposeFile(name)
    }

    /// Whether a folder of the name may hold programs: no hidden ones, none of what was built or fetched, no tests.
    package static func canDiscover(folder name: String) -> Bool {
        let skipped: Set<String> = [
            "node_modules", "vendor", "bower_components", "target", "build", "dist", "out", "bin", "obj", "venv", "env",
            "__pycache__", "deps", "_build", "Pods", "DerivedData", "test", "tests", "Tests", "testdata", "fixtures",
            "spec", "e2e", "docs", "doc", "examples", "example", "coverage", "tmp",
        ]
        return !name.hasPrefix(".") && !name.hasPrefix("_") && !skipped.contains(name)
    }

    static func isDockerfile(_ name: String) -> Bool { name == "Dockerfile" || name == "Containerfile" }

    /// `compose.yaml`, `docker-compose.yml`, and their overrides.
    static func isComposeFile(_ name: String) -> Bool {
        guard name.hasSuffix(".yaml") || name.hasSuffix(".yml") else { return false }
        let stem = name.split(separator: ".").first ?? ""
        return stem == "compose" || stem == "docker-compose"
    }

    /// Drafts a Blueprint from the files of a folder.
    ///
    /// What a Compose file says is imported; every other folder with a program becomes a service. The draft validates;
    /// it is `nil` where nothing was found that runs.
    ///
    /// - Parameter folder: absolute.
    package static func discover(
        _ files: [DiscoveredFile], folder: String, name: String? = nil
    ) -> (drafted: ImportedBlueprint?, diagnostics: [Diagnostic]) {
        let notes = ImportNotes()
        var discovery = Discovery(files: files, folder: folder, name: name, notes: notes)
        discovery.run()
        guard !discovery.services.isEmpty else {
            let at = SourceLocation(file: SourceFile(name: folder, folder: folder), line: 0, column: 0)
            let nothing = Diagnostic(
                .error, code: "nothing_found",
                "no Compose file, Dockerfile, Procfile or package manifest that says how something is started", at: at)
            return (nil, discovery.diagnostics + [nothing])
        }
        let text = discovery.text()
        let checked = checkedText(text)
        guard checked.isValid else { return (nil, discovery.diagnostics + checked.diagnostics) }
        return (
            ImportedBlueprint(text: text, notes: notes.sorted, diagnostics: checked.diagnostics), discovery.diagnostics
        )
    }
}

/// Puts together what the files of a folder say.
struct Discovery {
    let files: [DiscoveredFile]
    let folder: String
    let name: String?
    let notes: ImportNotes
    private(set) var services: [DraftEntry] = []
    private(set) var diagnostics: [Diagnostic] = []
    private var blueprintName = "app"
    private var taken: Set<String> = []

    init(files: [DiscoveredFile], folder: String, name: String?, notes: ImportNotes) {
        self.files = files
        self.folder = folder
        self.name = name
        self.notes = notes
        var none: Set<String> = []
        let last = folder.split(separator: "/").last.map(String.init) ?? "app"
        blueprintName = ComposeNames.label(name ?? last, or: "app", taken: &none)
    }

    mutating func run() {
        let built = importCompose()
        let folders = Dictionary(grouping: files) { $0.folder }
        var used: [String] = built
        for path in folders.keys.sorted() {
            let program = ProgramFolder(path: path, files: folders[path] ?? [], all: files)
            // A folder inside of a program is the program's own: its parts, and what it brings along.
            if let owner = used.first(where: { path == $0 || !$0.isEmpty && path.hasPrefix($0 + "/") }) {
                if !program.isEmpty { note(.leftOut, program, "\(owner.isEmpty ? "." : owner) stands for it") }
                continue
            }
            let found = program.services(project: blueprintName)
            guard !found.isEmpty else {
                if !program.isEmpty { note(.leftOut, program, program.whyNothing) }
                continue
            }
            if !path.isEmpty { used.append(path) }
            for service in found { add(service, program) }
        }
    }

    private func note(_ kind: ImportNote.Kind, _ program: ProgramFolder, _ message: String) {
        let file = program.files[0]
        let at = SourceLocation(file: SourceFile(name: file.path, folder: folder), line: 1, column: 1)
        notes.add(kind, file.name, message, at: at)
    }

    private mutating func add(_ service: ProgramFolder.Service, _ program: ProgramFolder) {
        let label = ComposeNames.label(service.name, or: "service", taken: &taken)
        var entries = service.fields
        if !program.path.isEmpty, service.fields.contains(where: { $0.key == "command" }) {
            entries.append(DraftEntry("workdir", .text("./" + program.path)))
        }
        let order = Dictionary(Grammar.service.keys.enumerated().map { ($1, $0) }) { first, _ in first }
        entries.sort { (order[$0.key] ?? 0) < (order[$1.key] ?? 0) }
        if !entries.isEmpty { entries[0].comments = service.comments.flatMap(ComposeService.wrapped) }
        services.append(DraftEntry(label, .map(entries)))
        let at = SourceLocation(
            file: SourceFile(name: service.source.path, folder: folder), line: service.line, column: 1)
        notes.add(.changed, service.source.name, "the service \(label)", at: at)
    }

    /// The Compose files of the uppermost folder that has any; the folders of what they build.
    private mutating func importCompose() -> [String] {
        let all = files.filter { Blueprint.isComposeFile($0.name) }
        let depth = { (file: DiscoveredFile) in file.folder.isEmpty ? 0 : file.folder.split(separator: "/").count }
        guard let first = all.min(by: { (depth($0), $0.path) < (depth($1), $1.path) }) else { return [] }
        // `compose.yaml` counts before `docker-compose.yml`, as for Compose itself.
        let beside = all.filter { $0.folder == first.folder }
        let main = beside.filter { $0.name.split(separator: ".").count == 2 }
        guard let chosen = main.first ?? beside.first else { return [] }
        let over = beside.filter { $0.name.contains(".override.") && $0.path != chosen.path }
        let contents = Dictionary(files.map { (folder + "/" + $0.path, $0.bytes) }) { first, _ in first }
        let loading = ComposeLoading(notes: notes) { contents[$0] }
        let composeFolder = first.folder.isEmpty ? folder : folder + "/" + first.folder
        let project = loading.project(
            ([chosen] + over).map { ComposeFile(name: $0.path, folder: composeFolder, bytes: $0.bytes) })
        diagnostics += loading.findings.diagnostics.map { diagnostic in
            // A folder with a broken Compose file may still have programs.
            var diagnostic = diagnostic
            diagnostic.severity = .warning
            return diagnostic
        }
        for file in all where !([chosen] + over).contains(where: { $0.path == file.path }) {
            let at = SourceLocation(file: SourceFile(name: file.path, folder: folder), line: 1, column: 1)
            notes.add(.leftOut, file.name, "\(chosen.path) stands for it", at: at)
        }
        guard let project else { return [] }
        let options = ImportOptions(name: blueprintName, profiles: ["*"])
        let draft = ComposeImport(project: project, options: options, loading: loading, notes: notes).draft()
        if case .map(let entries)? = draft.entries.last?.value { services = entries }
        taken.formUnion(services.map(\.key))
        let prefix = folder + "/"
        return project.services.compactMap { entry -> String? in
            guard let build = entry.value["build"], let context = build.text ?? build["context"]?.text else {
                return nil
            }
            let path = FilePath.absolute(context, in: build.location.file.folder)
            return path == folder ? "" : path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : nil
        }
    }

    func text() -> String {
        var services = services
        for index in services.indices { services[index].hasBlankLineBefore = index > 0 }
        var all = DraftEntry("services", .map(services))
        all.hasBlankLineBefore = true
        let header = [
            "Drafted by `microstax blueprint discover`. Commands and ports are guesses where a comment says so."
        ]
        return DraftWriter.text([DraftEntry("name", .text(blueprintName)), all], header: header)
    }
}
