/// Body of `POST /v1/layers`. The layer's name is what its text says.
package struct LayerRequest: Codable, Sendable, Hashable {
    /// The layer's text: a Blueprint, of which anything but the name may be missing.
    package var blueprint: String
    /// Its path on the client's machine, for messages and explanations; `layer.yaml` where a client does not say.
    package var file: String
    /// Absolute; what relative paths in it mean. `/` where a client does not say.
    package var folder: String
    /// Contents of the files that it names (`extends`, scripts of `init`), by absolute path.
    package var files: [String: String]
    /// Check, and register nothing.
    package var dryRun: Bool

    package init(
        blueprint: String, file: String, folder: String, files: [String: String] = [:], dryRun: Bool = false
    ) {
        self.blueprint = blueprint
        self.file = file
        self.folder = folder
        self.files = files
        self.dryRun = dryRun
    }
}

extension LayerRequest {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case blueprint, file, folder, files, dryRun
    }

    /// Only `blueprint` must be there; a key that does not exist is refused.
    package init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.allCases.map(\.rawValue))
        let body = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            blueprint: try body.decode(String.self, forKey: .blueprint),
            file: try body.decodeIfPresent(String.self, forKey: .file) ?? "layer.yaml",
            folder: try body.decodeIfPresent(String.self, forKey: .folder) ?? "/",
            files: try body.decodeIfPresent([String: String].self, forKey: .files) ?? [:],
            dryRun: try body.decodeIfPresent(Bool.self, forKey: .dryRun) ?? false)
    }
}

/// One revision of a registered layer.
package struct LayerView: Codable, Sendable, Hashable {
    package var name: String
    package var revision: Int
    package var description: String?
    /// The registered layers that it extends: names, some with `@` and a revision.
    package var extends: [String]
    /// As its file was called when it was applied, and the folder that it lay in.
    package var file: String
    package var folder: String
    package var createdAt: String
    package var actor: String
    /// Its text; where literal secrets stand in it, written anew without them. Not in lists.
    package var blueprint: String?
    /// Of the files that it names: those that it extends, in the same way; empty text for all others. Not in lists.
    package var files: [String: String]?
    /// The environments that are composed of it, and the layers that extend it: `shop`, `team@2`. Not in lists.
    package var usedBy: [String]?

    package init(
        name: String, revision: Int, description: String? = nil, extends: [String] = [], file: String, folder: String,
        createdAt: String, actor: String, blueprint: String? = nil, files: [String: String]? = nil,
        usedBy: [String]? = nil
    ) {
        self.name = name
        self.revision = revision
        self.description = description
        self.extends = extends
        self.file = file
        self.folder = folder
        self.createdAt = createdAt
        self.actor = actor
        self.blueprint = blueprint
        self.files = files
        self.usedBy = usedBy
    }
}

/// Reply to applying a layer.
package struct AppliedLayerView: Codable, Sendable, Hashable {
    package var layer: LayerView
    /// There is a new revision, or would be; `false` where the newest says the same.
    package var isChanged: Bool
    package var warnings: [ErrorDetail]

    package init(layer: LayerView, isChanged: Bool, warnings: [ErrorDetail]) {
        self.layer = layer
        self.isChanged = isChanged
        self.warnings = warnings
    }
}

/// Reply of `POST /v1/blueprints/render`.
package struct RenderedView: Codable, Sendable, Hashable {
    /// YAML; literal secrets are not in it.
    package var blueprint: String
    /// The registered layers in it, lowest first: `org@3`.
    package var layers: [String]
    package var warnings: [ErrorDetail]

    package init(blueprint: String, layers: [String], warnings: [ErrorDetail]) {
        self.blueprint = blueprint
        self.layers = layers
        self.warnings = warnings
    }
}
