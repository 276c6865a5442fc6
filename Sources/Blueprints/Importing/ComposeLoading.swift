/// A Compose project: all its files as one tree.
struct ComposeProject {
    /// What the last file that says `name` says.
    var name: LocatedValue?
    /// In the order written; `extends` is resolved.
    var services: [LocatedValue.Entry] = []
    var secrets: LocatedValue?
    var volumes: LocatedValue?
    /// Of the first file.
    var file: SourceFile
}

/// Reads the files of a project, and what they include and extend.
final class ComposeLoading {
    /// Of everything that the files name.
    static let maxFiles = 100
    /// `include` in `include`, `extends` of `extends`.
    static let maxDepth = 16
    static let maxServices = 1000

    let notes: ImportNotes
    let findings = Findings()
    private let loadFile: (String) -> [UInt8]?
    private var loaded: [String: [UInt8]?] = [:]
    private var trees: [String: LocatedValue] = [:]

    init(notes: ImportNotes, load: @escaping (String) -> [UInt8]?) {
        self.notes = notes
        loadFile = load
    }

    /// The contents of a file, asked for once.
    func bytes(_ path: String) -> [UInt8]? {
        if let known = loaded[path] { return known }
        guard loaded.count < Self.maxFiles else { return nil }
        let found = loadFile(path)
        loaded[path] = .some(found)
        return found
    }

    /// `nil` where a file is no Compose file; ``findings`` say why.
    func project(_ files: [ComposeFile]) -> ComposeProject? {
        guard let first = files.first else { return nil }
        var project = ComposeProject(file: SourceFile(name: first.name, folder: first.folder))
        var services = LocatedValue(.mapping([]), at: SourceLocation(file: project.file, line: 1, column: 1))
        for file in files {
            guard let root = tree(file) else { return nil }
            guard case .mapping = root.content, let written = servicesOf(root) else {
                findings.error(
                    "not_compose", "`\(file.name)` has no map of `services`", at: root.location,
                    hint: "give a Compose file: docker-compose.yml, compose.yaml")
                return nil
            }
            include(root, into: &project, &services, depth: 0)
            take(root, written, into: &project, &services)
        }
        let all = services
        project.services = all.entries.prefix(Self.maxServices).map { entry in
            var entry = entry
            entry.value = extended(entry, in: all, seen: [entry.key], depth: 0)
            return entry
        }
        if let over = all.entries.dropFirst(Self.maxServices).first {
            notes.add(.attention, "services", "only the first \(Self.maxServices) are taken", at: over.location)
        }
        guard !project.services.isEmpty else {
            findings.error("not_compose", "`\(first.name)` has no services", at: all.location)
            return nil
        }
        return project
    }

    private func tree(_ file: ComposeFile) -> LocatedValue? {
        var reader = BlueprintReader(file: SourceFile(name: file.name, folder: file.folder))
        reader.dropsTags = true
        let (value, diagnostics) = reader.read(file.bytes)
        for diagnostic in diagnostics {
            let at = SourceLocation(file: reader.file, line: diagnostic.line, column: diagnostic.column)
            findings.report(value == nil ? .error : .warning, diagnostic.code, diagnostic.message, at: at)
        }
        return value
    }

    /// Also of a file from before `services` was a key, in which they stand at the top.
    private func servicesOf(_ root: LocatedValue) -> LocatedValue? {
        if let services = root["services"] {
            switch services.content {
            case .mapping: return services
            // Only includes, or overrides that say nothing.
            case .null: return LocatedValue(.mapping([]), at: services.location)
            default: return nil
            }
        }
        if root["include"] != nil { return LocatedValue(.mapping([]), at: root.location) }
        let isService = { (value: LocatedValue) in value["image"] != nil || value["build"] != nil }
        guard root["version"] == nil, !root.entries.isEmpty, root.entries.allSatisfy({ isService($0.value) }) else {
            return nil
        }
        notes.add(.changed, "services", "the file has the first format of Compose", at: root.location)
        return root
    }

    private func take(
        _ root: LocatedValue, _ written: LocatedValue, into project: inout ComposeProject,
        _ services: inout LocatedValue
    ) {
        services = services.entries.isEmpty ? written : ComposeMerge.services(written, over: services)
        if let name = root["name"], name.text != nil { project.name = name }
        func merged(_ key: String, _ lower: LocatedValue?) -> LocatedValue? {
            guard let upper = root[key], case .mapping = upper.content else { return lower }
            return lower.map { ComposeMerge.value(upper, over: $0) } ?? upper
        }
        project.secrets = merged("secrets", project.secrets)
        project.volumes = merged("volumes", project.volumes)
        guard root["services"] != nil || root["include"] != nil else { return }
        for entry in root.entries { note(entry) }
    }

    private func note(_ entry: LocatedValue.Entry) {
        switch entry.key {
        case "services", "secrets", "volumes", "include": break
        case "name": notes.add(.carried, "name", at: entry.location)
        case "version": notes.add(.leftOut, "version", "Compose itself no longer reads it", at: entry.location)
        case "networks":
            notes.add(
                .leftOut, "networks", "every service of an environment can reach every other one", at: entry.location)
        case "configs":
            notes.add(.attention, "configs", "files that services are given are not carried over", at: entry.location)
        case _ where entry.key.hasPrefix("x-"):
            notes.add(.leftOut, entry.key, "what is used of it stands where it is used", at: entry.location)
        default: notes.add(.attention, entry.key, "not known", at: entry.location)
        }
    }

    private func include(
        _ root: LocatedValue, into project: inout ComposeProject, _ services: inout LocatedValue, depth: Int
    ) {
        for item in root["include"]?.items ?? [] {
            let paths =
                item.text.map { [$0] } ?? item["path"]?.text.map { [$0] } ?? item["path"]?.items.compactMap(\.text)
            for path in paths ?? [] {
                let absolute = FilePath.absolute(path, in: item.location.file.folder)
                guard depth < Self.maxDepth, let bytes = bytes(absolute) else {
                    notes.add(.attention, "include", "\(path) cannot be read", at: item.location)
                    continue
                }
                let file = ComposeFile(
                    name: beside(path, item), folder: FilePath.absolute("..", in: absolute), bytes: bytes)
                guard let tree = tree(file), let written = servicesOf(tree) else {
                    notes.add(.attention, "include", "\(path) is no Compose file", at: item.location)
                    continue
                }
                notes.add(.carried, "include", path, at: item.location)
                include(tree, into: &project, &services, depth: depth + 1)
                take(tree, written, into: &project, &services)
            }
        }
    }

    /// The path as notes show it: beside the file that names it.
    private func beside(_ path: String, _ value: LocatedValue) -> String {
        let name = value.location.file.name
        let plain = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        guard !path.hasPrefix("/"), let slash = name.lastIndex(of: "/") else { return plain }
        return name[...slash] + plain
    }

    /// The service with what it extends below it.
    private func extended(
        _ entry: LocatedValue.Entry, in services: LocatedValue, seen: Set<String>, depth: Int
    ) -> LocatedValue {
        guard let extends = entry.value.entry("extends") else { return entry.value }
        let path = "services.\(entry.key).extends"
        let name = extends.value.text ?? extends.value["service"]?.text ?? ""
        var from = services
        var key = name
        if let file = extends.value["file"]?.text {
            let absolute = FilePath.absolute(file, in: extends.value.location.file.folder)
            key = absolute + "\n" + name
            if trees[absolute] == nil, let bytes = bytes(absolute) {
                let found = ComposeFile(
                    name: beside(file, extends.value), folder: FilePath.absolute("..", in: absolute), bytes: bytes)
                trees[absolute] = tree(found).flatMap(servicesOf)
            }
            guard let other = trees[absolute] else {
                notes.add(.attention, path, "\(file) cannot be read", at: extends.location)
                return entry.value
            }
            from = other
        }
        guard depth < Self.maxDepth, !seen.contains(key), let base = from.entry(name) else {
            let why = from.entry(name) == nil ? "there is no service \(name)" : "it extends itself"
            notes.add(.attention, path, why, at: extends.location)
            return entry.value
        }
        notes.add(.carried, path, "what \(name) says stands here", at: extends.location)
        let below = extended(base, in: from, seen: seen.union([key]), depth: depth + 1)
        var result = ComposeMerge.value(entry.value, over: below, key: "")
        result.content = .mapping(result.entries.filter { $0.key != "extends" })
        return result
    }
}
