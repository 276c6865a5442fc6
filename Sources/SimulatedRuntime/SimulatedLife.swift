import Synchronization

/// The life of one simulated server. Once it has ended, whatever the server's code does next waits until it is cancelled:
/// a process that was killed does nothing any more, neither well nor badly.
package final class SimulatedLife: Sendable {
    private let clock: any SimulationClock
    private let ended = Mutex(false)

    package init(clock: any SimulationClock) { self.clock = clock }

    package var isOver: Bool { ended.withLock { $0 } }

    package func end() { ended.withLock { $0 = true } }

    /// - Throws: `CancellationError`, when the dead server's tasks are cleared away.
    package func check() async throws {
        guard isOver else { return }
        try await clock.waitForCancellation()
    }

    package func sleep(_ duration: Duration) async throws {
        try await check()
        try await clock.sleep(duration)
        try await check()
    }
}
