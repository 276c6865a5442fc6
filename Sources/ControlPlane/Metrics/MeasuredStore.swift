import Storage

/// A store whose transactions are counted and timed, waiting included.
struct MeasuredStore: Store {
    let store: any Store
    let metrics: MetricsBook

    func read<T: Sendable>(_ body: @Sendable (any StoreReading) throws -> T) async throws -> T {
        try await measured("read") { try await store.read(body) }
    }

    func write<T: Sendable>(_ body: @Sendable (any StoreWriting) throws -> T) async throws -> T {
        try await measured("write") { try await store.write(body) }
    }

    private func measured<T: Sendable>(_ kind: String, _ body: () async throws -> T) async throws -> T {
        let start = ContinuousClock.now
        do {
            let value = try await body()
            metrics.transaction(kind, failed: false, seconds: start.secondsSince)
            return value
        } catch {
            metrics.transaction(kind, failed: true, seconds: start.secondsSince)
            throw error
        }
    }
}

extension ContinuousClock.Instant {
    var secondsSince: Double { (ContinuousClock.now - self) / .seconds(1) }
}
