/// What a backup says of itself; `manifest.json` in its file.
package struct BackupManifest: Codable, Sendable, Hashable {
    /// Of the file: 1.
    package static let format = 1

    package struct Part: Codable, Sendable, Hashable {
        package var name: String
        package var bytes: Int
        /// In hexadecimal.
        package var sha256: String
    }

    package struct Environment: Codable, Sendable, Hashable {
        package var id: String
        package var name: String
        package var mode: String
        package var state: String
        package var revision: Int
        /// What is sealed with the key: `<service>/<secret>`.
        package var secrets: [String]
        /// `<service>/<volume>`; their content is not in the backup.
        package var volumes: [String]
    }

    package var format: Int
    /// RFC 3339 in UTC.
    package var createdAt: String
    /// Of the program that wrote it.
    package var version: String
    /// Of the store in it.
    package var schema: Int
    package var environments: [Environment]
    /// Tells keys apart and says nothing of them; absent where there was no key.
    package var keyFingerprint: String?
    package var parts: [Part]

    package var hasKey: Bool { parts.contains { $0.name == BackupFile.key } }
    package var secretCount: Int { environments.reduce(0) { $0 + $1.secrets.count } }
}
