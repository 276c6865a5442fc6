import Blueprints
import EnvironmentGraph

/// One revision of a registered layer; it never changes. The store keeps what it is given: texts are encrypted by whoever
/// owns the key.
package struct LayerRecord: Sendable, Hashable, Codable {
    package var name: String
    /// From 1, growing; a number is never given twice, also when the layer was deleted in between.
    package var number: Int
    /// The layer as the person wrote it.
    package var source: String
    /// As its file was called, and the absolute folder that it lay in.
    package var file: String
    package var folder: String
    /// Contents of the files that it names, by absolute path.
    package var files: [String: String]
    /// The registered layers that it extends, directly or through a file: names, some with `@` and a revision.
    package var extends: [String]
    package var description: String?
    /// Milliseconds since 1970, UTC.
    package var createdAt: Int64
    package var actor: String

    package init(
        name: String, number: Int, source: String, file: String, folder: String, files: [String: String] = [:],
        extends: [String] = [], description: String? = nil, createdAt: Int64, actor: String
    ) {
        self.name = name
        self.number = number
        self.source = source
        self.file = file
        self.folder = folder
        self.files = files
        self.extends = extends
        self.description = description
        self.createdAt = createdAt
        self.actor = actor
    }
}

/// A revision of an environment that was composed of some revision of a layer.
package struct LayerUse: Sendable, Hashable {
    package var environment: EnvironmentID
    package var number: Int

    package init(environment: EnvironmentID, number: Int) {
        self.environment = environment
        self.number = number
    }
}
