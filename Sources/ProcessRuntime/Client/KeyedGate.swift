import Synchronization

/// Lets one caller at a time do something about a key; the others wait in order.
final class KeyedGate<Key: Hashable & Sendable>: Sendable {
    /// Who waits, by key; a key without waiters but present is taken.
    private let waiting = Mutex<[Key: [CheckedContinuation<Void, Never>]]>([:])

    func with<T>(_ key: Key, _ body: () async throws -> T) async rethrows -> T {
        await enter(key)
        defer { leave(key) }
        return try await body()
    }

    private func enter(_ key: Key) async {
        await withCheckedContinuation { continuation in
            let isFree = waiting.withLock { waiting in
                guard waiting[key] != nil else {
                    waiting[key] = []
                    return true
                }
                waiting[key]?.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    private func leave(_ key: Key) {
        let next: CheckedContinuation<Void, Never>? = waiting.withLock { waiting in
            guard let first = waiting[key]?.first else {
                waiting[key] = nil
                return nil
            }
            waiting[key]?.removeFirst()
            return first
        }
        next?.resume()
    }
}
