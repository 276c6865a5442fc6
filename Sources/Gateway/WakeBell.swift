import Synchronization

/// Tells whoever asks for what is wanted that there is more of it than before; rung on any event loop.
final class WakeBell: Sendable {
    private struct State {
        var number: UInt64 = 0
        var nextTicket = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    /// How often it was rung.
    var number: UInt64 { state.withLock { $0.number } }

    func ring() {
        let waiting = state.withLock { state in
            state.number += 1
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values { continuation.resume() }
    }

    /// Returns when it was rung since `number` was read, or after `limit`.
    func wait(since number: UInt64, within limit: Duration) async {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        // Ended below, or by itself when the limit has passed.
        let timer = Task {
            guard (try? await Task.sleep(for: limit)) != nil else { return }
            self.state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume()
        }
        await withCheckedContinuation { continuation in
            let isRung = state.withLock { state in
                guard state.number == number else { return true }
                state.waiting[ticket] = continuation
                return false
            }
            if isRung { continuation.resume() }
        }
        timer.cancel()
    }
}
