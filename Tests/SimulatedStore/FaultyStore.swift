import SimulatedRuntime
import Storage
import Synchronization

/// What goes wrong with a simulated store, as probabilities from 0 to 1.
package struct StoreFaults: Sendable {
    /// A write that throws and has done nothing.
    package var writeFails = 0.0
    /// A write that is committed, and throws.
    package var replyLost = 0.0
    /// A write that takes up to two seconds.
    package var writeSlow = 0.0
    package var readFails = 0.0

    package static let none = StoreFaults()

    package init() {}
}

/// One server's way to a ``MemoryStore``, with faults; it may end the server's life before or after any write.
package final class FaultyStore: Store {
    private struct State {
        var faults: StoreFaults
        var writes = 0
        /// The number of the write around which the server dies, and whether that write is committed.
        var death: (write: Int, isCommitted: Bool)?
    }

    private let store: MemoryStore
    private let life: SimulatedLife
    private let random: SeededRandom
    private let onDeath: @Sendable () -> Void
    private let state: Mutex<State>

    /// - Parameter onDeath: called once, when ``die(at:committed:)`` has come true.
    package init(
        _ store: MemoryStore, life: SimulatedLife, random: SeededRandom, faults: StoreFaults = .none,
        onDeath: @escaping @Sendable () -> Void = {}
    ) {
        self.store = store
        self.life = life
        self.random = random
        self.onDeath = onDeath
        state = Mutex(State(faults: faults))
    }

    package var faults: StoreFaults {
        get { state.withLock { $0.faults } }
        set { state.withLock { $0.faults = newValue } }
    }

    /// Ends the server's life at its n-th write from now, 1 for the next one: before it, or after its commit.
    package func die(at write: Int, committed: Bool) {
        state.withLock { $0.death = (write: $0.writes + write, isCommitted: committed) }
    }

    /// Takes ``die(at:committed:)`` back.
    package func spare() { state.withLock { $0.death = nil } }

    package func read<T: Sendable>(_ body: @Sendable (any StoreReading) throws -> T) async throws -> T {
        try await life.check()
        let faults = faults
        if random.chance(faults.readFails) { throw StoreError(.ioError, "simulated: a read failed") }
        let value = try await store.read(body)
        try await life.check()
        return value
    }

    package func write<T: Sendable>(_ body: @Sendable (any StoreWriting) throws -> T) async throws -> T {
        try await life.check()
        let faults = faults
        if random.chance(faults.writeSlow) {
            // Cancelled: the write is done all the same.
            try? await life.sleep(random.milliseconds(1...2_000))
            try await life.check()
        }
        let isLast = state.withLock { state -> Bool? in
            state.writes += 1
            guard let death = state.death, state.writes >= death.write else { return nil }
            return death.isCommitted
        }
        if let isCommitted = isLast {
            if isCommitted { _ = try? store.commit(body) }  // A refusal is nobody's any more.
            life.end()
            onDeath()
            try await life.check()
        }
        if random.chance(faults.writeFails) { throw StoreError(.unwritable, "simulated: a write failed") }
        // Others come in between; cancelled or not, the write is done.
        try? await life.sleep(random.microseconds(1...300))
        try await life.check()
        let value = try store.commit(body)
        try? await life.sleep(random.microseconds(1...300))
        try await life.check()
        if random.chance(faults.replyLost) { throw StoreError(.ioError, "simulated: a write's reply was lost") }
        return value
    }
}
