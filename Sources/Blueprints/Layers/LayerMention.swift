/// What one item of `extends` names.
package enum LayerMention: Sendable, Hashable, CustomStringConvertible {
    /// `org`, or `org@3` for one revision of it.
    case registered(name: String, revision: Int?)
    /// A file beside the one that says so.
    ///
    /// - `path`: absolute.
    /// - `owner`: the registered layer that the naming file belongs to, which keeps the file; `nil` for a person's own.
    case file(path: String, owner: SourceOrigin?)

    package var description: String {
        switch self {
        case .registered(let name, let revision): revision.map { "\(name)@\($0)" } ?? name
        case .file(let path, _): path
        }
    }

    /// What has a `/`, begins with a dot or ends like a YAML or JSON file is a path, everything else a name.
    static func isPath(_ text: String) -> Bool {
        text.contains("/") || text.hasPrefix(".")
            || [".yaml", ".yml", ".json"].contains { text.lowercased().hasSuffix($0) }
    }

    /// A name with or without `@` and a revision; `nil` where the text is none.
    package static func registered(_ text: String) -> (name: String, revision: Int?)? {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard NameRule.problem(name) == nil else { return nil }
        guard parts.count > 1 else { return (name, nil) }
        guard parts[1].count < 10, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let revision = Int(parts[1]), revision > 0
        else { return nil }
        return (name, revision)
    }
}

/// What there is at a ``LayerMention``.
package enum LayerAnswer: Sendable {
    case found(LayerText)
    /// There is no such layer, or its file cannot be read.
    case absent(code: String, message: String, hint: String?)
    /// It cannot be asked for here; what is composed is a part.
    case elsewhere
}

/// The text of one layer.
package struct LayerText: Sendable, Hashable {
    package var bytes: [UInt8]
    /// Of a registered one: as its file was called when it was applied, and its folder then. Of a file, both are known
    /// from the mention.
    package var file: String
    package var folder: String
    /// Of a registered one.
    package var revision: Int?
    /// What was sent along with a registered one, by absolute path.
    package var files: [String: String]

    package init(
        bytes: [UInt8], file: String = "", folder: String = "", revision: Int? = nil, files: [String: String] = [:]
    ) {
        self.bytes = bytes
        self.file = file
        self.folder = folder
        self.revision = revision
        self.files = files
    }
}
