import Foundation
import Storage
import Synchronization

/// The `Store` of one machine: SQLite, one file in WAL mode, owned by one process at a time.
///
/// What is searched by (ids, names, states, keys, ports) stands in columns with constraints; the record itself stands
/// beside it as JSON with sorted keys, so that a record may grow without a migration and `sqlite3` shows it to a
/// person. Unique names and ports are the database's to keep, not this program's.
///
/// Data passes through lanes (``Lane``): one that writes and ``readerCount`` that read, each an actor with a connection
/// and a queue of its own, so that file access never blocks the threads of Swift's concurrency and a read never waits
/// for a write. Between them stands ``RecordCache``: decoding is what a list costs, so environments are decoded once
/// per version.
///
/// Opening is careful: the lock first, then a look at the file that changes nothing (``StoreFile``), and only a file
/// that this program understands is opened for writing and migrated (``Schema``). Files beside the database: `-wal` and
/// `-shm` are SQLite's, `.lock` holds other processes off. All are for the owner alone (0600).
///
/// It refuses to know what the records mean. A cancelled task's transactions still run: what a task writes down when
/// it is cancelled must not be lost.
package final class SQLiteStore: Store {
    /// How many reads can run beside each other.
    package static let readerCount = 3

    /// How many transactions may run or wait; one more is refused with `.ioError` rather than kept.
    package static let waitingLimit = 10_000

    package let path: String
    private let writer: Lane
    private let readers: [Lane]
    private let queues = Mutex(Queues(readers: SQLiteStore.readerCount))

    /// Opens the database at `path`, creating it if there is no file; its folder must exist.
    ///
    /// - Throws: `.locked` where a process (this one included) has it, `.newerSchema` and `.corrupt` where the file
    ///   cannot be understood (it is left as it is), `.unwritable` where it cannot be written, `.ioError` for the rest.
    package convenience init(path: String) throws(StoreError) {
        try self.init(path: path, schema: .current)
    }

    init(path: String, schema: Schema) throws(StoreError) {
        let path = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        let lock = try FileLock(path: path + ".lock", guarding: path)
        try StoreFile(path: path).prepare(for: schema, lock: lock)
        let connection = try Connection(path: path, access: .writer, lock: lock)
        try schema.migrate(connection, keeping: SchemaCopy(path: path))
        let cache = RecordCache(after: try connection.integer("SELECT coalesce(max(version), 0) FROM environments"))
        connection.close()

        self.path = path
        writer = try Lane("writer", path: path, access: .writer, lock: lock, cache: cache)
        var readers: [Lane] = []
        for number in 1...Self.readerCount {
            readers.append(try Lane("reader-\(number)", path: path, access: .reader, lock: lock, cache: cache))
        }
        self.readers = readers
    }

    package func read<T: Sendable>(_ body: @Sendable (any StoreReading) throws -> T) async throws -> T {
        guard let reader = queues.withLock({ $0.takeReader() }) else { throw StoreError.overrun }
        defer { queues.withLock { $0.leaveReader(reader) } }
        return try await readers[reader].read(body)
    }

    package func write<T: Sendable>(_ body: @Sendable (any StoreWriting) throws -> T) async throws -> T {
        guard queues.withLock({ $0.takeWriter() }) else { throw StoreError.overrun }
        defer { queues.withLock { $0.leaveWriter() } }
        return try await writer.write(body)
    }

    /// Waits for the transactions that were begun, then closes the file and lets other processes have it. Later
    /// transactions throw. Blocks its thread for that long; not to be called from within a transaction. Closing twice
    /// is closing once.
    package func close() {
        for reader in readers { reader.finish() }
        writer.finish()
    }
}
