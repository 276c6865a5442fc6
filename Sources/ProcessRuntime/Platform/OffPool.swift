import Dispatch

/// Runs what keeps a thread busy for long (deleting, looking through `/proc`) on a thread of its own: Swift has only as
/// many threads as the machine has processors, and everything else waits while they are taken.
enum OffPool {
    /// - Parameter queue: a serial queue, whose work waits for its turn; a new one by default. Serial ones get a thread
    ///   even while the processors are busy, the global ones do not.
    static func run<T: Sendable>(
        on queue: DispatchQueue = DispatchQueue(label: "microstax.off-pool"), _ body: @escaping @Sendable () throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }

    static func run<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "microstax.off-pool").async { continuation.resume(returning: body()) }
        }
    }
}
