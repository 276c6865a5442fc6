import Files
import Foundation
import SQLiteStore
import Storage

/// Puts what a backup holds into a state folder.
///
/// What runs is left as it is: the store and the key are exchanged, the folders of environments stay where they are, with
/// the data of their volumes. The next server finds what still runs, brings up what does not, and reports what the
/// restored store does not know.
package struct BackupRestore: Sendable {
    /// What the restored environments miss, for a person.
    package struct Outcome: Codable, Sendable, Hashable {
        package var environments: [BackupManifest.Environment]
        /// Where what was there before was put; absent where nothing was.
        package var aside: String?
        package var hasKey: Bool
        /// `<environment>: <service>/<volume>`; they start empty.
        package var missingVolumes: [String]
    }

    package enum Key: Sendable {
        /// That of the backup, else the one that is in the state folder already.
        case usual
        case file(String)
        /// Secrets and Blueprints stay closed.
        case none
    }

    let backup: BackupFile
    let folder: ServerFolder

    package init(_ backup: BackupFile, into folder: ServerFolder) {
        self.backup = backup
        self.folder = folder
    }

    /// - Parameters:
    ///   - replacing: whether what is in the folder may be put aside.
    ///   - stamp: names the place for it.
    package func run(_ key: Key, replacing: Bool, stamp: String) async throws -> Outcome {
        let manifest = try backup.verify()
        guard manifest.schema <= SQLiteStore.schemaVersion else {
            throw StoreError(
                .newerSchema,
                "the store in \(backup.path) has schema \(manifest.schema), this microstax knows \(SQLiteStore.schemaVersion)",
                hint: "restore it with microstax \(manifest.version) or newer")
        }
        try refuseWhatIsThere(replacing: replacing, manifest)
        let keyBytes = try chosen(key, for: manifest)
        // From here on nobody else has the folder.
        try folder.take()
        let restored = folder.store + ".restored"
        defer { for end in ["", "-wal", "-shm", ".lock"] { unlink(restored + end) } }
        for end in ["", "-wal", "-shm"] { unlink(restored + end) }
        try backup.extract(BackupFile.store, to: restored)
        // Opening it proves that it is a store, and takes an older one to today's schema.
        let environments = try await BackupFile.environments(in: restored)
        let aside = try putAside(stamp, key: keyBytes)
        do throws(FileFailure) {
            if let keyBytes { try AtomicFile.write(keyBytes, to: folder.key) }
            guard rename(restored, folder.store) == 0 else { throw FileFailure("replace", folder.store) }
            try AtomicFile.syncFolder(of: folder.store)
        } catch {
            throw StoreError(file: error)
        }
        return Outcome(
            environments: environments, aside: aside, hasKey: keyBytes != nil, missingVolumes: missing(environments))
    }

    // MARK: What is there

    private func refuseWhatIsThere(replacing: Bool, _ manifest: BackupManifest) throws {
        guard !replacing else { return }
        // Not readable is as good as not there.
        let kept = (try? FileManager.default.contentsOfDirectory(atPath: folder.environments)) ?? []
        let files: [String] = [folder.store, folder.store + "-wal"]
        var found = files.filter { access($0, F_OK) == 0 }
        found += kept.map { folder.environments + "/" + $0 }
        if let there = FileManager.default.contents(atPath: folder.key), let wanted = manifest.keyFingerprint,
            SecretBox.fingerprint(Array(there)) != wanted
        {
            found.append(folder.key)
        }
        guard let first = found.first else { return }
        throw StoreError(
            .unwritable, "the state folder \(folder.path) is not empty: there is \(first)",
            hint: "set MICROSTAX_HOME to another folder, or say --force to put store and key aside first")
    }

    /// The store may be read with the old log only, so it is there under both names until the new one takes its place.
    private func putAside(_ stamp: String, key: [UInt8]?) throws -> String? {
        let places: [String] = [folder.store, folder.store + "-wal", folder.store + "-shm", folder.key]
        let there = places.filter { access($0, F_OK) == 0 }
        let oldKey = FileManager.default.contents(atPath: folder.key).map { Array($0) }
        let keepsKey = key != nil && oldKey == key
        let moved = there.filter { $0 != folder.key || !keepsKey }
        guard !moved.isEmpty else { return nil }
        let aside = folder.path + "/before-restore-" + stamp
        guard mkdir(aside, 0o700) == 0 else { throw StoreError(file: FileFailure("make the folder", aside)) }
        for path in moved {
            let target = aside + "/" + (path as NSString).lastPathComponent
            let done = path == folder.store ? link(path, target) : rename(path, target)
            guard done == 0 else { throw StoreError(file: FileFailure("put aside", path)) }
        }
        if keepsKey, let oldKey {
            do throws(FileFailure) {
                try AtomicFile.write(oldKey, to: aside + "/" + BackupFile.key)
            } catch {
                throw StoreError(file: error)
            }
        }
        return aside
    }

    // MARK: The key

    private func chosen(_ key: Key, for manifest: BackupManifest) throws -> [UInt8]? {
        let wanted = manifest.keyFingerprint
        switch key {
        case .none: return nil
        case .file(let path):
            guard let data = FileManager.default.contents(atPath: path) else {
                throw StoreError(file: FileFailure("read", path))
            }
            let bytes = Array(data)
            guard wanted == nil || SecretBox.fingerprint(bytes) == wanted else {
                throw StoreError(
                    .corrupt, "\(path) is not the key that the secrets of this backup are sealed with",
                    hint: "give the file that was secrets.key in the state folder then")
            }
            return bytes
        case .usual:
            if let bytes = try backup.keyBytes() { return bytes }
            guard let wanted else { return nil }
            if let data = FileManager.default.contents(atPath: folder.key), SecretBox.fingerprint(Array(data)) == wanted
            {
                return Array(data)
            }
            throw StoreError(
                .corrupt, "the backup is without its key: \(Self.closed(manifest)) cannot be opened",
                hint: "add --key <the secrets.key of that state folder>; or --without-key, and then delete and create "
                    + "again the environments that have secrets")
        }
    }

    /// `the Blueprints of 3 environments and 12 secrets (shop: orders/password, …)`.
    package static func closed(_ manifest: BackupManifest) -> String {
        let blueprints = "the Blueprints of \(manifest.environments.count) environments"
        let names = manifest.environments.filter { !$0.secrets.isEmpty }.map { environment in
            "\(environment.name): " + environment.secrets.joined(separator: ", ")
        }
        guard !names.isEmpty else { return blueprints }
        let shown = names.prefix(20).joined(separator: "; ") + (names.count > 20 ? "; …" : "")
        return "\(blueprints) and \(manifest.secretCount) secrets (\(shown))"
    }

    // MARK: Volumes

    private func missing(_ environments: [BackupManifest.Environment]) -> [String] {
        environments.flatMap { environment in
            environment.volumes.filter { volume in
                access("\(folder.environments)/\(environment.id)/volumes/\(volume)", F_OK) != 0
            }.map { "\(environment.name): \($0)" }
        }
    }
}
