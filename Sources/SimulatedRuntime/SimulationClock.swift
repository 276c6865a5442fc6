import Foundation
import Synchronization

/// Time as a simulation sees it; what waits, waits here.
package protocol SimulationClock: Sendable {
    /// Milliseconds since 1970.
    var now: Int64 { get }

    /// Calls `body` once, after that long.
    func after(_ delay: Duration, _ body: @escaping @Sendable () -> Void)
}

extension SimulationClock {
    /// - Throws: `CancellationError`, at once, where the task is cancelled.
    package func sleep(_ duration: Duration) async throws { try await wait(duration) }

    /// - Throws: `CancellationError`, and never returns.
    package func waitForCancellation() async throws { try await wait(nil) }

    private func wait(_ duration: Duration?) async throws {
        let sleeper = Sleeper()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard sleeper.begin(continuation), let duration else { return }
                after(duration) { sleeper.end(.success(())) }
            }
        } onCancel: {
            sleeper.end(.failure(CancellationError()))
        }
    }
}

/// The machine's own time, for a simulated runtime beside real parts.
package struct MachineClock: SimulationClock {
    package init() {}

    package var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    package func after(_ delay: Duration, _ body: @escaping @Sendable () -> Void) {
        let (seconds, attoseconds) = delay.components
        let nanoseconds = Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
        DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(nanoseconds), execute: body)
    }
}

/// Time that stands still until ``advance()``: it then jumps to the next moment for which anything was asked.
package final class SimulatedClock: SimulationClock {
    private struct Timer {
        let due: Int64
        let number: Int
        let body: @Sendable () -> Void

        func isBefore(_ other: Timer) -> Bool { (due, number) < (other.due, other.number) }
    }

    private struct State {
        /// Microseconds since the simulation began.
        var now: Int64 = 0
        var count = 0
        /// A binary heap, the next one first.
        var timers: [Timer] = []
    }

    /// Where simulated time begins; any moment would do.
    private static let epoch: Int64 = 1_700_000_000_000

    private let state = Mutex(State())

    package init() {}

    package var now: Int64 { Self.epoch + elapsedMicroseconds / 1000 }

    package var elapsedMicroseconds: Int64 { state.withLock { $0.now } }

    package func after(_ delay: Duration, _ body: @escaping @Sendable () -> Void) {
        let (seconds, attoseconds) = delay.components
        let microseconds = max(0, seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
        state.withLock { state in
            state.count += 1
            state.timers.append(Timer(due: state.now + microseconds, number: state.count, body: body))
            Self.rise(&state.timers)
        }
    }

    /// - Returns: false where nothing waits any more.
    package func advance() -> Bool {
        let timer = state.withLock { state -> Timer? in
            guard let next = Self.removeFirst(&state.timers) else { return nil }
            state.now = max(state.now, next.due)
            return next
        }
        timer?.body()
        return timer != nil
    }

    private static func rise(_ heap: inout [Timer]) {
        var child = heap.count - 1
        while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private static func removeFirst(_ heap: inout [Timer]) -> Timer? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].isBefore(heap[least])
            {
                least = child
            }
            guard least != parent else { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}

/// One sleep, which ends once.
private final class Sleeper: Sendable {
    private enum State {
        case fresh
        case sleeping(CheckedContinuation<Void, any Error>)
        case ended(Result<Void, any Error>)
    }

    private let state = Mutex(State.fresh)

    /// - Returns: false where it was ended before it began.
    func begin(_ continuation: CheckedContinuation<Void, any Error>) -> Bool {
        let early = state.withLock { state -> Result<Void, any Error>? in
            if case .ended(let result) = state { return result }
            state = .sleeping(continuation)
            return nil
        }
        guard let early else { return true }
        continuation.resume(with: early)
        return false
    }

    func end(_ result: Result<Void, any Error>) {
        let continuation = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            defer { if case .ended = state {} else { state = .ended(result) } }
            if case .sleeping(let continuation) = state { return continuation }
            return nil
        }
        continuation?.resume(with: result)
    }
}
