import EnvironmentGraph

/// Something of an environment that is not as the runtime left it: somebody else was there.
package struct Irregularity: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable {
        /// A volume with data is not there any more.
        case volumeMissing
        /// A file in which the runtime keeps what should run was changed, damaged or removed.
        case fileChanged
    }

    package var kind: Kind
    /// `nil` for the environment as a whole.
    package var service: String?
    package var volume: String?
    /// What was seen, for a person.
    package var message: String

    package init(_ kind: Kind, service: String? = nil, volume: String? = nil, message: String) {
        self.volume = volume
        self.kind = kind
        self.service = service
        self.message = message
    }
}

/// A volume with data that was made once.
package struct VolumeName: Sendable, Hashable {
    package var service: String
    package var name: String

    package init(service: String, name: String) {
        self.service = service
        self.name = name
    }
}

extension Runtime {
    /// Of an environment with the volumes that its record knows of.
    package func irregularities(of record: EnvironmentRecord) async throws -> [Irregularity] {
        let made = record.madeVolumes.map { VolumeName(service: $0.service, name: $0.volume) }
        return try await irregularities(of: record.id, volumes: made)
    }

    package func irregularities(
        of environment: EnvironmentID, volumes: [VolumeName]
    ) async throws -> [Irregularity] { [] }

    package func restoreFiles(of environment: EnvironmentID) async throws {}
}
