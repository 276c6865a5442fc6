import Foundation
import Storage

/// The database's file before it is opened for writing: whether this program may touch it at all.
struct StoreFile {
    let path: String

    /// A whole check of the pages costs about a second per gigabyte; larger files show their damage when it is read.
    static let checkedBytes = 32 << 20

    /// Creates the file where there is none, for the owner alone; refuses, without changing it, one that is not a store
    /// of this program's age. The caller holds `lock`.
    func prepare(for schema: Schema, lock: FileLock) throws(StoreError) {
        let size = try createOrMeasure()
        if size > 0 {
            try checkHeader()
            let connection = try Connection(path: path, access: .probe, lock: lock)
            defer { connection.close() }
            try checkOwner(connection, schema)
            try checkPages(connection, size: size)
        } else if leftoverLogSize > 0 {
            throw StoreError(
                .corrupt, "the store \(path) is empty, but the log \(path)-wal, which belongs to it, is not",
                hint: "put the database back beside its log, or move the log away to start with an empty store")
        }
        guard chmod(path, 0o600) == 0 else {
            throw StoreError.fromSystem(errno, "cannot keep \(path) for its owner alone", path: path)
        }
    }

    private func createOrMeasure() throws(StoreError) -> Int {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw StoreError(
                    .unwritable, "the store \(path) is not a regular file", hint: "name a file for the store")
            }
            return Int(status.st_size)
        }
        guard errno == ENOENT else { throw StoreError.fromSystem(errno, "cannot open the store \(path)", path: path) }
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StoreError.fromSystem(errno, "cannot create the store \(path)", path: path) }
        close(descriptor)
        return 0
    }

    /// The log of a database that is gone; SQLite would remove it on opening an empty one.
    private var leftoverLogSize: Int {
        var status = stat()
        return stat(path + "-wal", &status) == 0 ? Int(status.st_size) : 0
    }

    private func checkHeader() throws(StoreError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError.fromSystem(errno, "cannot read the store \(path)", path: path) }
        // Safe although closing drops SQLite's locks: the caller holds ours, and no connection is open yet.
        defer { close(descriptor) }
        let magic = Array("SQLite format 3\0".utf8)
        var start = [UInt8](repeating: 0, count: magic.count)
        let count = read(descriptor, &start, start.count)
        guard count >= 0 else { throw StoreError.fromSystem(errno, "cannot read the store \(path)", path: path) }
        guard count == magic.count, start == magic else {
            throw StoreError(
                .corrupt, "\(path) is not a database; it was left as it is",
                hint: "move the file away to start with an empty store, or put a backup in its place")
        }
    }

    private func checkOwner(_ connection: Connection, _ schema: Schema) throws(StoreError) {
        let owner = try connection.integer("PRAGMA application_id")
        let version = try connection.integer("PRAGMA user_version")
        let tables = try connection.integer("SELECT count(*) FROM sqlite_schema")
        if owner == 0, version == 0, tables == 0 { return }
        guard owner == Schema.applicationID else {
            throw StoreError(
                .corrupt, "\(path) is a database of another program; it was left as it is",
                hint: "name another file for the store")
        }
        guard version <= schema.migrations.count else {
            throw StoreError(
                .newerSchema,
                "the store \(path) was written by a newer microstax (schema \(version), this one knows "
                    + "\(schema.migrations.count)); it was left as it is",
                hint:
                    "start the newer microstax; or go on with what there was before: stop every server, and put the copy "
                    + "\(path).before-<schema> that it kept, or a backup, in the place of the store")
        }
    }

    private func checkPages(_ connection: Connection, size: Int) throws(StoreError) {
        guard size <= Self.checkedBytes else { return }
        let finding = try connection.text("PRAGMA quick_check(1)")
        guard finding == "ok" else { throw StoreError.damaged(path, finding) }
    }
}
