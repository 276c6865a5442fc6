import Blueprints
import Crypto
import EnvironmentGraph
import Files
import Foundation
import SQLiteStore
import Storage

/// A backup of a state folder: one file with everything that was acknowledged, and, where it was asked for, the key that
/// secrets and Blueprints are sealed with. Volumes, logs and what runs are not in it.
///
/// ```
/// manifest.json   what is in it
/// store.sqlite    the store at one moment
/// secrets.key     only with the key
/// SHA256SUMS      of all before, as `sha256sum -c` reads it
/// ```
package struct BackupFile: Sendable {
    static let manifest = "manifest.json"
    static let store = "store.sqlite"
    static let key = "secrets.key"
    static let sums = "SHA256SUMS"

    package let path: String

    package init(path: String) { self.path = path }

    // MARK: Making one

    /// Writes it, whole or not at all, for the owner alone (mode 0600). The server may run meanwhile.
    ///
    /// - Parameter replacing: whether a file that is there may be replaced.
    package func create(
        from folder: ServerFolder, withKey: Bool, replacing: Bool, version: String, now: Int64
    ) async throws -> BackupManifest {
        guard access(folder.store, F_OK) == 0 else {
            throw StoreError(
                .ioError, "there is nothing to back up: \(folder.store) does not exist",
                hint: "set MICROSTAX_HOME to the state folder that is meant")
        }
        if !replacing, access(path, F_OK) == 0 {
            throw StoreError(.unwritable, "\(path) exists already", hint: "name another file, or say --force")
        }
        let key = FileManager.default.contents(atPath: folder.key).map { Array($0) }
        if withKey, key == nil { throw StoreError(.ioError, "there is no key \(folder.key) to put into the backup") }
        return try await withWorkFolder { work in
            let copy = work + "/" + Self.store
            try SQLiteStore.copy(folder.store, to: copy)
            let environments = try await Self.environments(in: copy)
            let bytes = try Self.size(copy)
            guard bytes <= BackupArchive.largestMember else {
                throw StoreError(.unwritable, "the store is larger than the 8 GiB that a backup holds")
            }
            var parts = [BackupManifest.Part(name: Self.store, bytes: bytes, sha256: try Self.sha256(copy))]
            if withKey, let key {
                parts.append(BackupManifest.Part(name: Self.key, bytes: key.count, sha256: SecretBox.sha256(key)))
            }
            let manifest = BackupManifest(
                format: BackupManifest.format, createdAt: timestamp(now), version: version,
                schema: try SQLiteStore.schemaVersion(of: copy), environments: environments,
                keyFingerprint: key.map(SecretBox.fingerprint), parts: parts)
            let description = try Self.encoded(manifest)
            var members: [(name: String, content: BackupArchive.Content)] = [
                (Self.manifest, .bytes(description)), (Self.store, .file(copy, bytes: bytes)),
            ]
            if withKey, let key { members.append((Self.key, .bytes(key))) }
            members.append((Self.sums, .bytes(Self.sums(manifest, description))))
            do throws(FileFailure) {
                try AtomicFile.replace(path) { (file) throws(FileFailure) in
                    try BackupArchive.write(members, to: file)
                }
            } catch {
                throw StoreError(file: error)
            }
            return manifest
        }
    }

    // MARK: Reading one

    /// Reads every byte of it.
    ///
    /// - Throws: ``StoreError`` `.corrupt` that names the part that is not as it was written, `.newerSchema` for a file of
    ///   a newer program.
    package func verify() throws -> BackupManifest {
        let members = try BackupArchive.members(of: path)
        guard let first = members.first, first.name == Self.manifest, let last = members.last, last.name == Self.sums
        else {
            throw BackupArchive.damaged(
                path, "it has no \(members.first?.name == Self.manifest ? Self.sums : Self.manifest)")
        }
        let description = try BackupArchive.content(first, of: path)
        let sums = String(decoding: try BackupArchive.content(last, of: path), as: UTF8.self)
        guard sums.contains("\(SecretBox.sha256(description))  \(Self.manifest)\n") else {
            throw BackupArchive.damaged(path, "\(Self.manifest) and \(Self.sums) do not agree")
        }
        let manifest = try decoded(description)
        for part in manifest.parts {
            guard let member = members.first(where: { $0.name == part.name }), member.bytes == part.bytes else {
                throw BackupArchive.damaged(path, "\(part.name) is missing or has another size")
            }
            guard try BackupArchive.sha256(member, of: path) == part.sha256 else {
                throw BackupArchive.damaged(path, "the content of \(part.name)")
            }
        }
        guard members.count == manifest.parts.count + 2, Array(sums.utf8) == Self.sums(manifest, description) else {
            throw BackupArchive.damaged(path, Self.sums)
        }
        return manifest
    }

    func extract(_ name: String, to destination: String) throws(StoreError) {
        guard let member = try BackupArchive.members(of: path).first(where: { $0.name == name }) else {
            throw BackupArchive.damaged(path, "it has no \(name)")
        }
        try BackupArchive.extract(member, of: path, to: destination)
    }

    func keyBytes() throws(StoreError) -> [UInt8]? {
        guard let member = try BackupArchive.members(of: path).first(where: { $0.name == Self.key }) else { return nil }
        return try BackupArchive.content(member, of: path)
    }

    private func decoded(_ description: [UInt8]) throws -> BackupManifest {
        struct Format: Decodable { let format: Int }
        let format = try? JSONDecoder().decode(Format.self, from: Data(description)).format
        if let format, format > BackupManifest.format {
            throw StoreError(
                .newerSchema,
                "\(path) was written by a newer microstax (format \(format), this one knows \(BackupManifest.format))",
                hint: "restore it with the newer microstax")
        }
        do {
            return try JSONDecoder().decode(BackupManifest.self, from: Data(description))
        } catch {
            throw BackupArchive.damaged(path, Self.manifest)
        }
    }

    private static func encoded(_ manifest: BackupManifest) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(manifest)) + [UInt8(ascii: "\n")]
    }

    private static func sums(_ manifest: BackupManifest, _ description: [UInt8]) -> [UInt8] {
        let lines = [(SecretBox.sha256(description), Self.manifest)] + manifest.parts.map { ($0.sha256, $0.name) }
        return Array(lines.map { "\($0.0)  \($0.1)\n" }.joined().utf8)
    }

    // MARK: The work

    /// A folder beside the file, gone afterwards: the copy of the store may be too large for /tmp.
    private func withWorkFolder<T>(_ body: (String) async throws -> T) async throws -> T {
        let work = path + ".work-\(getpid())"
        guard mkdir(work, 0o700) == 0 else { throw StoreError(file: FileFailure("make the folder", work)) }
        // What cannot be removed is said by nothing: the backup itself is done or has failed already.
        defer { try? FileManager.default.removeItem(atPath: work) }
        return try await body(work)
    }

    private static func size(_ path: String) throws -> Int {
        var status = stat()
        guard stat(path, &status) == 0 else { throw StoreError(file: FileFailure("read", path)) }
        return Int(status.st_size)
    }

    private static func sha256(_ path: String) throws -> String {
        var digest = SHA256()
        do throws(FileFailure) {
            try BackupArchive.eachChunk(of: path) { (part) throws(FileFailure) in digest.update(data: part) }
        } catch {
            throw StoreError(file: error)
        }
        return SecretBox.hex(digest.finalize())
    }

    /// Reads a copy as a store, which also proves that it is one. The copy may be migrated by that.
    static func environments(in copy: String) async throws -> [BackupManifest.Environment] {
        let store = try SQLiteStore(path: copy)
        defer { store.close() }
        return try await store.read { store in
            try store.environments().map { record in
                let secrets = try store.secrets(of: record.id).map { "\($0.service)/\($0.name)" }
                let volumes = record.localServices.flatMap { service in
                    service.volumes.filter { $0.kind == .pvc }.map { "\(service.name)/\($0.name)" }
                }
                return BackupManifest.Environment(
                    id: record.id.rawValue, name: record.name, mode: record.mode.rawValue, state: record.state.rawValue,
                    revision: record.revision, secrets: secrets, volumes: volumes)
            }
        }
    }
}
