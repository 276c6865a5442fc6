import Files
import Foundation
import Storage

extension SQLiteStore {
    /// How many steps of the schema this program knows.
    package static var schemaVersion: Int { Schema.current.migrations.count }

    /// Of the file at `path`, without opening it as a store; 0 for an empty one.
    ///
    /// - Throws: ``StoreError`` where it is no store's file.
    package static func schemaVersion(of path: String) throws(StoreError) -> Int {
        let connection = try Connection(path: path, access: .probe, lock: nil)
        defer { connection.close() }
        let version = try connection.integer("PRAGMA user_version")
        let owner = try connection.integer("PRAGMA application_id")
        guard version == 0 || owner == Schema.applicationID else {
            throw StoreError(.corrupt, "\(path) is a database of another program")
        }
        return Int(version)
    }

    /// Writes what a store holds at one moment into a file of its own, as one read transaction, so also while another
    /// process has it and writes. The copy is one file without a log, for the owner alone, and on the disk when this
    /// returns.
    ///
    /// - Parameter destination: must not exist; a copy that failed is removed.
    package static func copy(_ path: String, to destination: String) throws(StoreError) {
        let connection = try Connection(path: path, access: .probe, lock: nil)
        defer { connection.close() }
        try connection.copy(to: destination)
    }
}

extension Connection {
    /// See ``SQLiteStore/copy(_:to:)``.
    func copy(to destination: String) throws(StoreError) {
        // SQLite takes an empty file for one that is not there; made by us, nobody else ever reads it.
        let descriptor = open(destination, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StoreError.fromSystem(errno, "cannot write \(destination)", path: destination)
        }
        defer { Foundation.close(descriptor) }
        do throws(StoreError) {
            try execute("VACUUM INTO ?", .text(destination))
            guard fsync(descriptor) == 0 else {
                throw StoreError.fromSystem(errno, "cannot write \(destination)", path: destination)
            }
        } catch {
            unlink(destination)
            throw error
        }
    }
}
