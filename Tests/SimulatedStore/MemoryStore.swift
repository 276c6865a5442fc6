import Storage
import Synchronization

/// A `Store` in memory, with the rules of the real ones and nothing of their cost: for simulations, where it outlives the
/// servers that use it.
package final class MemoryStore: Store {
    /// Looks at every commit, before anybody else can see it: the tables before and after.
    package typealias Observer = @Sendable (_ before: Tables, _ after: Tables) -> Void

    private let tables = Mutex(Tables())
    /// One write after the other.
    private let writing = Mutex(())
    private let observer: Observer?
    private let savings = Savings()

    package init(observer: Observer? = nil) { self.observer = observer }

    /// What is committed just now.
    package var committed: Tables { tables.withLock { $0 } }

    package func read<T: Sendable>(_ body: @Sendable (any StoreReading) throws -> T) async throws -> T {
        try body(MemoryTransaction(committed, savings))
    }

    package func write<T: Sendable>(_ body: @Sendable (any StoreWriting) throws -> T) async throws -> T {
        try commit(body)
    }

    func commit<T: Sendable>(_ body: @Sendable (any StoreWriting) throws -> T) throws -> T {
        try writing.withLock { _ in
            let before = committed
            let transaction = MemoryTransaction(before, savings)
            let value = try body(transaction)
            observer?(before, transaction.tables)
            tables.withLock { $0 = transaction.tables }
            return value
        }
    }
}

/// Numbers the savings of environments, also of those that were taken back: no two have the same.
final class Savings: Sendable {
    private let count = Atomic<Int64>(0)

    func next() -> Int64 { count.add(1, ordering: .relaxed).newValue }
}
