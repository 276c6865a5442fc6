import Dispatch
import Files
import Storage

/// One connection, its transactions one after the other on a queue of their own.
///
/// The queue's threads are Dispatch's, beside those of Swift's concurrency, which waiting for a disk therefore never
/// takes.
actor Lane {
    private nonisolated let queue: QueueExecutor
    private let connection: Connection
    private let cache: RecordCache

    nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    init(_ name: String, path: String, access: Connection.Access, lock: FileLock, cache: RecordCache) throws(StoreError)
    {
        queue = QueueExecutor(label: "microstax.store.\(name)")
        connection = try Connection(path: path, access: access, lock: lock)
        self.cache = cache
    }

    func read<T: Sendable>(_ body: @Sendable (any StoreReading) throws -> T) throws -> T {
        let transaction = Transaction(connection, cache)
        return try connection.transaction(.deferred) { try body(transaction) }
    }

    func write<T: Sendable>(_ body: @Sendable (any StoreWriting) throws -> T) throws -> T {
        let transaction = Transaction(connection, cache)
        let value = try connection.transaction(.immediate) {
            let value = try body(transaction)
            CrashPoint.pass("before a commit")
            return value
        }
        CrashPoint.pass("after a commit")
        transaction.publish()
        return value
    }

    /// Closes the connection after everything that was begun before.
    nonisolated func finish() {
        queue.queue.sync { assumeIsolated { $0.connection.close() } }
    }
}

final class QueueExecutor: SerialExecutor {
    let queue: DispatchQueue

    init(label: String) { queue = DispatchQueue(label: label) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }
}
