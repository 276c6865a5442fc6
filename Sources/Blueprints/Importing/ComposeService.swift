/// One service of a Compose file on its way into a Blueprint.
struct ComposeService {
    struct Port {
        var number: Int
        var transport: PortProtocol
        var name: String?
        var isPublished = false
        var remark: String?
    }

    struct Variable {
        var key: String
        var pieces: [ComposeVariables.Piece]
        var location: SourceLocation
    }

    struct Dependency {
        var service: String
        var condition: DependencySpec.Condition
        var location: SourceLocation
    }

    /// As the Compose file calls it.
    let key: String
    let name: String
    /// The Blueprint's name.
    let project: String
    let value: LocatedValue
    let location: SourceLocation
    let names: ComposeNames
    let values: ComposeVariables
    let notes: ImportNotes

    var ports: [Port] = []
    /// Where in ``ports`` a number stands.
    var portPlaces: [Int: Int] = [:]
    var variables: [Variable] = []
    /// What the service is given already, and the secrets' names and variables.
    var secrets: [DraftNode] = []
    var secretNames: Set<String> = []
    var secretKeys: Set<String> = []
    var dependencies: [Dependency] = []
    /// By the Blueprint's name of the field.
    var fields: [String: DraftEntry] = [:]
    /// What somebody must look at, above the first field.
    var comments: [String] = []

    init(
        _ entry: LocatedValue.Entry, name: String, project: String, names: ComposeNames, variables: ComposeVariables,
        notes: ImportNotes
    ) {
        key = entry.key
        self.name = name
        self.project = project
        value = entry.value
        location = entry.location
        self.names = names
        values = variables
        self.notes = notes
    }

    // MARK: Words

    func path(_ field: String) -> String { "services.\(key).\(field)" }

    func carried(_ field: String, _ message: String = "") {
        guard let entry = value.entry(field) else { return }
        notes.add(.carried, path(field), message, at: entry.location)
    }

    func changed(_ field: String, _ message: String, at location: SourceLocation) {
        notes.add(.changed, path(field), message, at: location)
    }

    func leftOut(_ field: String, _ message: String, at location: SourceLocation) {
        notes.add(.leftOut, path(field), message, at: location)
    }

    /// A note, and a comment in the Blueprint.
    mutating func attention(_ field: String, _ message: String, at location: SourceLocation) {
        notes.add(.attention, path(field), message, at: location)
        guard comments.count < 40 else { return }
        comments += Self.wrapped("\(field): \(message)")
    }

    /// The text of a scalar, variables replaced; without zero bytes, which no program can be given.
    func text(_ value: LocatedValue?, _ field: String) -> String? {
        guard let value, let text = value.text else { return nil }
        let plain = values.plain(text, path(field), at: value.location)
        return plain.utf8.contains(0) ? plain.replacing("\0", with: "") : plain
    }

    func texts(_ value: LocatedValue?, _ field: String) -> [String] {
        (value?.items ?? []).prefix(Fields.maxItems).compactMap { text($0, field) }
    }

    /// Lines of up to 100 characters.
    static func wrapped(_ text: String) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.prefix(600).split(separator: " ") {
            if !line.isEmpty, line.count + word.count > 100 {
                lines.append(line)
                line = "  " + word
            } else {
                line += (line.isEmpty ? "" : " ") + word
            }
        }
        return line.isEmpty ? lines : lines + [line]
    }

    // MARK: Together

    mutating func set(_ field: String, _ node: DraftNode, remark: String? = nil) {
        fields[field] = DraftEntry(field, node, remark: remark)
    }

    /// - Parameters:
    ///   - ports: of every service, by name.
    ///   - left: every service of the files, also those that are not taken.
    mutating func convert(ports all: [String: [Port]], secrets: ComposeSecrets, left: Set<String>) {
        convertProgram()
        writePorts()
        convertSecrets(secrets)
        convertEnvironment(secrets, all)
        readDependencies(left)
        convertVolumes()
        convertHealth()
        convertLife()
        noteTheRest()
    }

    /// Fields in the grammar's order, comments above the first.
    func entry() -> DraftEntry {
        var fields = self.fields
        if !dependencies.isEmpty {
            let items = dependencies.prefix(Fields.maxItems).map { dependency -> DraftNode in
                guard dependency.condition != .healthy else { return .text(dependency.service) }
                return .line([
                    ("service", .text(dependency.service)), ("condition", .text(dependency.condition.rawValue)),
                ])
            }
            fields["dependsOn"] = DraftEntry("dependsOn", .list(items))
        }
        var ordered = Grammar.service.keys.compactMap { fields[$0] }
        if !ordered.isEmpty { ordered[0].comments = comments + ordered[0].comments }
        return DraftEntry(name, .map(ordered))
    }

    /// Keys that nothing above has looked at.
    private mutating func noteTheRest() {
        for entry in value.entries where !Self.handled.contains(entry.key) {
            if entry.key.hasPrefix("x-") {
                leftOut(entry.key, "", at: entry.location)
            } else if let reason = ComposeKeys.leftOut[entry.key] {
                leftOut(entry.key, reason, at: entry.location)
            } else if let reason = ComposeKeys.attention[entry.key] {
                attention(entry.key, reason, at: entry.location)
            } else {
                attention(entry.key, "not known", at: entry.location)
            }
        }
    }

    private static let handled: Set<String> = [
        "image", "build", "command", "entrypoint", "working_dir", "user", "ports", "expose", "environment", "env_file",
        "secrets", "depends_on", "links", "volumes_from", "network_mode", "ipc", "pid", "volumes", "tmpfs",
        "healthcheck",
        "restart", "stop_signal", "stop_grace_period", "deploy", "scale", "mem_limit", "mem_reservation", "cpus",
        "extends", "profiles",
    ]
}
