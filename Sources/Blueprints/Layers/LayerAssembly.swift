/// Goes through what layers extend, depth first: what is extended comes before whoever extends it, and only once, so that
/// two layers on one common layer do not put it on top of each other.
struct LayerAssembly {
    enum Key: Hashable {
        case registered(String)
        case file(path: String, owner: SourceOrigin?)
    }

    let limits: LayerLimits
    let findings = Findings()
    private(set) var layers: [BlueprintDocument] = []
    private(set) var origins: [SourceOrigin] = []
    private(set) var files: [String: String] = [:]
    private(set) var missing: [LayerMention] = []

    /// Those that are being visited, each extending the next, with how a message calls them.
    private var path: [(key: Key, name: String)] = []
    private var done: Set<Key> = []
    /// By name: the revision that is used, and the item of `extends` that chose it.
    private var revisions: [String: (revision: Int, location: SourceLocation)] = [:]
    private var bytes = 0
    private var isOverCount = false

    init(limits: LayerLimits) { self.limits = limits }

    mutating func open(_ key: Key) {
        if case .registered(let name) = key { path.append((key, name)) } else { path.append((key, "")) }
    }

    mutating func visit(_ document: BlueprintDocument, _ find: (LayerMention) throws -> LayerAnswer) rethrows {
        let mentions = mentions(of: document.value)
        // A revision that is named here holds for everything below.
        for (mention, location) in mentions {
            guard case .registered(let name, let revision?) = mention, revisions[name] == nil else { continue }
            revisions[name] = (revision, location)
        }
        for (mention, location) in mentions { try visit(mention, location, find) }
        layers.append(document)
    }

    private mutating func visit(
        _ mention: LayerMention, _ location: SourceLocation, _ find: (LayerMention) throws -> LayerAnswer
    ) rethrows {
        let key = Self.key(mention)
        guard !isCyclic(key, mention, location), fitsRevision(mention, location), !done.contains(key) else { return }
        guard !isTooMuch(mention, location) else { return }
        done.insert(key)
        var wanted = mention
        if case .registered(let name, nil) = mention {
            wanted = .registered(name: name, revision: revisions[name]?.revision)
        }
        switch try find(wanted) {
        case .elsewhere: missing.append(wanted)
        case .absent(let code, let message, let hint): findings.error(code, message, at: location, hint: hint)
        case .found(let text):
            guard let document = read(text, mention, location) else { return }
            path.append((key, Self.name(mention)))
            try visit(document, find)
            path.removeLast()
            if case .registered(let name, _) = mention {
                origins.append(SourceOrigin(.layer, name, revision: text.revision ?? 0))
            }
        }
    }

    private mutating func read(
        _ text: LayerText, _ mention: LayerMention, _ location: SourceLocation
    ) -> BlueprintDocument? {
        bytes += text.bytes.count
        guard bytes <= limits.bytes else {
            findings.error(
                "layers_too_large", "the layers have over \(limits.bytes >> 20) MiB together", at: location,
                hint: "extend fewer layers, or split off what not everybody needs")
            return nil
        }
        let file: SourceFile
        switch mention {
        case .registered(let name, _):
            let revision = text.revision ?? 0
            let before = revisions.updateValue((revision, location), forKey: name)
            if let before { revisions[name] = before }
            file = SourceFile(
                name: text.file, folder: text.folder, origin: SourceOrigin(.layer, name, revision: revision))
            files.merge(text.files) { first, _ in first }
        case .file(let path, let owner):
            let folder = path.split(separator: "/").dropLast().joined(separator: "/")
            file = SourceFile(name: Self.shownName(path, location.file), folder: "/" + folder, origin: owner)
        }
        let (value, diagnostics) = BlueprintReader(file: file).read(text.bytes)
        findings.add(diagnostics)
        return value.map { BlueprintDocument(value: NamedThings(findings: findings).canonical($0)) }
    }

    // MARK: Mentions

    private func mentions(of root: LocatedValue) -> [(LayerMention, SourceLocation)] {
        guard let value = root["extends"], !value.isNull else { return [] }
        guard case .sequence(let items) = value.content else {
            findings.error(
                "wrong_type", "`extends` must be a list, not \(value.kindName)", at: value.location,
                hint: value.text.map { "write [\(shortened($0))]" })
            return []
        }
        var lines: [LayerMention: Int] = [:]
        return items.prefix(Fields.maxItems).compactMap { item in
            guard let mention = mention(item) else { return nil }
            if let line = lines[mention] {
                findings.error(
                    "duplicate_name", "`\(shortened(item.shown))` is listed twice; first in line \(line)",
                    at: item.location)
                return nil
            }
            lines[mention] = item.location.line
            return (mention, item.location)
        }
    }

    private func mention(_ item: LocatedValue) -> LayerMention? {
        guard let text = item.text, !text.isEmpty else {
            findings.error(
                "wrong_type", "an item of `extends` must be text, not \(item.kindName)", at: item.location,
                hint: "a layer's name, such as org or org@3, or a path such as ./team.yaml")
            return nil
        }
        if LayerMention.isPath(text) {
            let path = FilePath.absolute(text, in: item.location.file.folder)
            return .file(path: path, owner: item.location.file.origin)
        }
        guard let (name, revision) = LayerMention.registered(text) else {
            findings.error(
                "invalid_name", "`\(shortened(text))` is no layer", at: item.location,
                hint: "a layer's name, such as org or org@3, or a path such as ./team.yaml")
            return nil
        }
        return .registered(name: name, revision: revision)
    }

    private static func key(_ mention: LayerMention) -> Key {
        switch mention {
        case .registered(let name, _): .registered(name)
        case .file(let path, let owner): .file(path: path, owner: owner)
        }
    }

    private static func name(_ mention: LayerMention) -> String {
        switch mention {
        case .registered(let name, _): name
        case .file(let path, _): path.split(separator: "/").last.map(String.init) ?? path
        }
    }

    /// Beside the file that names it, as that file is called.
    private static func shownName(_ path: String, _ from: SourceFile) -> String {
        let folder = from.folder == "/" ? "/" : from.folder + "/"
        guard path.hasPrefix(folder) else { return path }
        let parent = from.name.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let rest = path.dropFirst(folder.count)
        return parent.isEmpty ? String(rest) : "\(parent)/\(rest)"
    }

    // MARK: Refusals

    private func isCyclic(_ key: Key, _ mention: LayerMention, _ location: SourceLocation) -> Bool {
        guard let start = path.firstIndex(where: { $0.key == key }) else { return false }
        let names = path[start...].map(\.name) + [Self.name(mention)]
        findings.error(
            "layer_cycle", "these layers extend each other: \(names.map(shortened).joined(separator: " → "))",
            at: location, hint: "take this one out of `extends`")
        return true
    }

    private func fitsRevision(_ mention: LayerMention, _ location: SourceLocation) -> Bool {
        guard case .registered(let name, let revision?) = mention, let used = revisions[name],
            used.revision != revision
        else { return true }
        let place = "\(used.location.file.shown):\(used.location.line):\(used.location.column)"
        findings.error(
            "layer_conflict", "`\(name)` is extended here in revision \(revision), and in \(used.revision) at \(place)",
            at: location, hint: "write one revision in both, or `\(name)@\(revision)` in the Blueprint itself")
        return false
    }

    private mutating func isTooMuch(_ mention: LayerMention, _ location: SourceLocation) -> Bool {
        if path.count >= limits.depth {
            findings.error(
                "layers_too_deep", "more than \(limits.depth) layers extend one another", at: location,
                hint: "extend what is meant directly")
            return true
        }
        guard done.count >= limits.count else { return false }
        if !isOverCount {
            findings.error(
                "too_many", "more than \(limits.count) layers in all", at: location, hint: "extend fewer layers")
        }
        isOverCount = true
        return true
    }
}
