/// A Compose file, or an override of one, as it was read.
package struct ComposeFile: Sendable {
    /// As notes shall show it.
    package var name: String
    /// Absolute; what relative paths in it are relative to.
    package var folder: String
    package var bytes: [UInt8]

    package init(name: String, folder: String, bytes: [UInt8]) {
        self.name = name
        self.folder = folder
        self.bytes = bytes
    }
}

package struct ImportOptions: Sendable {
    /// The Blueprint's name; `nil` for the project's, else the folder's or file's.
    package var name: String?
    /// Services of these profiles are taken, too; `*` takes all.
    package var profiles: Set<String>
    /// What `.env` and the like say.
    package var variables: [String: String]

    package init(name: String? = nil, profiles: Set<String> = [], variables: [String: String] = [:]) {
        self.name = name
        self.profiles = profiles
        self.variables = variables
    }
}

/// What became of one thing of a Compose file.
package struct ImportNote: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable {
        /// It says the same in the Blueprint.
        case carried = "carried over"
        /// It says nearly the same, in another way.
        case changed
        /// It is not in the Blueprint, and hardly missed.
        case leftOut = "left out"
        /// Somebody must look at it; a comment in the Blueprint says so where the service stands.
        case attention
    }

    package var kind: Kind
    /// `services.web.build`, in the file's own words.
    package var path: String
    package var message: String
    package var file: String
    package var line: Int
    package var column: Int

    /// `compose.yaml:3:5: left out: services.web.networks: …`
    package var rendered: String {
        "\(file):\(line):\(column): \(kind.rawValue): \(path)" + (message.isEmpty ? "" : ": \(message)")
    }
}

/// A Blueprint that was made of something else.
package struct ImportedBlueprint: Sendable {
    /// With comments where something needs attention; a Blueprint without errors, where what this version cannot run yet
    /// counts as a warning.
    package var text: String
    /// In the order of files and lines.
    package var notes: [ImportNote]
    /// What checking the text found: warnings.
    package var diagnostics: [Diagnostic]
}

extension Blueprint {
    /// Makes a Blueprint of Compose files, the later overriding the earlier.
    ///
    /// The grammar is that of <https://github.com/compose-spec/compose-spec/blob/main/spec.md>. The result is checked by
    /// our own checker before it is handed out; it is `nil` where the files are no Compose files, with the reason.
    ///
    /// - Parameter load: reads a file that the Compose files name (`include`, `extends`, `env_file`, `secrets`), by its
    ///   absolute path; `nil` where there is none. Asked for at most ``ComposeLoading/maxFiles`` files.
    package static func importCompose(
        _ files: [ComposeFile], options: ImportOptions = ImportOptions(),
        load: @escaping (String) -> [UInt8]? = { _ in nil }
    ) -> (imported: ImportedBlueprint?, diagnostics: [Diagnostic]) {
        let notes = ImportNotes()
        let loading = ComposeLoading(notes: notes, load: load)
        guard let project = loading.project(files) else { return (nil, loading.findings.diagnostics) }
        let draft = ComposeImport(project: project, options: options, loading: loading, notes: notes).draft()
        let text = DraftWriter.text(draft.entries, header: draft.header)
        let checked = checkedText(text)
        guard checked.isValid else {
            return (nil, loading.findings.diagnostics + checked.diagnostics)
        }
        return (
            ImportedBlueprint(text: text, notes: notes.sorted, diagnostics: checked.diagnostics),
            loading.findings.diagnostics
        )
    }

    /// What a file such as `.env` sets; the last of several counts.
    package static func variables(_ bytes: [UInt8]) -> [String: String] {
        var result: [String: String] = [:]
        for (key, value, _) in ComposeText.variables(bytes) { result[key] = value ?? "" }
        return result
    }

    /// Holds what was made against our own checker.
    static func checkedText(_ text: String) -> (isValid: Bool, diagnostics: [Diagnostic]) {
        let (document, problems) = read(Array(text.utf8), file: "blueprint.yaml", folder: "/")
        guard let document else { return (false, problems) }
        let checked = check(document, mode: .baseline, unbuilt: .warning)
        let all = problems + checked.diagnostics
        return (!all.contains { $0.severity == .error }, all)
    }
}
