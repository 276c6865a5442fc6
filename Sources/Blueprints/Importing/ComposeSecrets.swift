/// The secrets of a project: those that it defines, and variables whose names say that they are secret.
final class ComposeSecrets {
    private let definitions: LocatedValue?
    private let variables: ComposeVariables
    private let loading: ComposeLoading
    private let notes: ImportNotes
    private var taken: Set<String> = []
    private var names: [String: String] = [:]

    init(
        definitions: LocatedValue?, variables: ComposeVariables, loading: ComposeLoading, notes: ImportNotes
    ) {
        self.definitions = definitions
        self.variables = variables
        self.loading = loading
        self.notes = notes
    }

    /// The Blueprint's name and value of a variable.
    func ofVariable(_ name: String) -> (name: String, value: DraftNode) {
        (label("variable \(name)", name), source(variable: name))
    }

    /// Of what `secrets:` of a service names.
    func defined(_ name: String) -> (name: String, value: DraftNode) {
        let label = label("secret \(name)", name)
        guard let definition = definitions?.entry(name) else { return (label, .text("auto-generated")) }
        let path = "secrets.\(name)"
        if let file = definition.value["file"], let text = file.text {
            let relative = variables.plain(text, path, at: file.location)
            let absolute = FilePath.absolute(relative, in: file.location.file.folder)
            if !relative.isEmpty, !relative.utf8.contains(0), loading.bytes(absolute) != nil {
                return (label, .line([("fromFile", .text(relative))]))
            }
            notes.add(
                .attention, path, "\(relative) cannot be read; the value is made up for each environment",
                at: file.location)
        } else if let variable = definition.value["environment"]?.text, !variable.isEmpty, !variable.utf8.contains(0) {
            return (label, source(variable: variable))
        } else {
            notes.add(
                .attention, path, "it is kept elsewhere; the value is made up for each environment",
                at: definition.location)
        }
        return (label, .text("auto-generated"))
    }

    /// Nothing that `.env` says under such a name is copied into a file that is shared.
    private func source(variable: String) -> DraftNode {
        variables.isSet(variable) ? .line([("fromEnv", .text(variable))]) : .text("auto-generated")
    }

    private func label(_ key: String, _ text: String) -> String {
        if let name = names[key] { return name }
        let name = ComposeNames.label(text, or: "secret", taken: &taken)
        names[key] = name
        return name
    }
}
