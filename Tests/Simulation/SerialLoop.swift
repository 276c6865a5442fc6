import Foundation
import SimulatedRuntime

/// Runs everything that Swift's concurrency enqueues in this process: on one thread, in an order that a seed decides. With
/// the simulated clock and `SWIFT_DETERMINISTIC_HASHING` a run is the same whenever it is repeated, by the same build.
///
/// It takes the place of the global executor through the runtime's own hooks (`swift_task_enqueueGlobal_hook`, in
/// stdlib/public/Concurrency/ConcurrencyHooks.cpp), so that no actor and no task of the product has to know of it.
// Unchecked: everything happens on the one thread that calls `run`.
final class SerialLoop: @unchecked Sendable {
    /// Of this process; set once, before the first task.
    // Unsafe: C callbacks carry no context, and there is one thread.
    nonisolated(unsafe) private static var installed: SerialLoop?

    private var jobs: [UnownedJob] = []
    private var order = SeededRandom(seed: 0)
    private(set) var steps = 0
    private let thread = pthread_self()

    private typealias Enqueue = @convention(thin) (UnownedJob) -> Void
    private typealias Hook = @convention(thin) (UnownedJob, Enqueue) -> Void

    private typealias Delay = @convention(thin) (UInt64, UnownedJob) -> Void
    private typealias DelayHook = @convention(thin) (UInt64, UnownedJob, Delay) -> Void

    private typealias Deadline = @convention(thin) (Int64, Int64, Int64, Int64, Int32, UnownedJob) -> Void
    private typealias DeadlineHook =
        @convention(thin) (Int64, Int64, Int64, Int64, Int32, UnownedJob, Deadline) -> Void

    /// - Throws: where this build of Swift has no such hooks.
    func install() throws {
        Self.installed = self
        try Self.variable("swift_task_enqueueGlobal_hook", Hook.self).pointee = { job, _ in
            SerialLoop.installed?.enqueue(job)
        }
        try Self.variable("swift_task_enqueueMainExecutor_hook", Hook.self).pointee = { job, _ in
            SerialLoop.installed?.enqueue(job)
        }
        try Self.variable("swift_task_enqueueGlobalWithDelay_hook", DelayHook.self).pointee = { _, _, _ in
            fatalError("something waits on the machine's clock instead of the injected one")
        }
        try Self.variable("swift_task_enqueueGlobalWithDeadline_hook", DeadlineHook.self).pointee = {
            _, _, _, _, _, _, _ in
            fatalError("something waits on the machine's clock instead of the injected one")
        }
    }

    private func enqueue(_ job: UnownedJob) {
        // `Task.yield()`, for one, goes past the hooks.
        precondition(pthread_equal(pthread_self(), thread) != 0, "something runs on a thread of its own")
        jobs.append(job)
    }

    private static func variable<T>(_ name: String, _: T.Type) throws -> UnsafeMutablePointer<T?> {
        guard let address = dlsym(dlopen(nil, RTLD_NOW), name) else { throw MissingHook(name: name) }
        return address.assumingMemoryBound(to: T?.self)
    }

    struct MissingHook: Error { let name: String }

    /// Runs jobs, and lets time pass where there is none, until `isDone`.
    ///
    /// - Returns: false where nothing is left to do or `limit` jobs did not suffice.
    func run(_ clock: SimulatedClock, seed: UInt64, limit: Int, until isDone: () -> Bool) -> Bool {
        order = SeededRandom(seed: seed)
        steps = 0
        // The generic executor (all bits zero): a job that is run so needs no hop to run code that is isolated to nothing.
        let generic = unsafeBitCast((0, 0), to: UnownedSerialExecutor.self)
        while !isDone() {
            guard !jobs.isEmpty else {
                guard clock.advance() else { return false }
                continue
            }
            steps += 1
            guard steps < limit else { return false }
            jobs.swapAt(order.number(0...jobs.count - 1), jobs.count - 1)
            jobs.removeLast().runSynchronously(on: generic)
        }
        return true
    }
}
