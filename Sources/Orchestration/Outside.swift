import EnvironmentGraph

/// What the engine takes from outside instead of reaching for it, so that tests and replays can fix it.
package struct Outside: Sendable {
    /// Milliseconds since 1970, UTC.
    package var now: @Sendable () -> Int64
    /// 10 characters of base32, never given twice.
    package var token: @Sendable () -> String
    /// Whether nothing listens on a loopback port just now.
    package var isPortFree: @Sendable (Int) -> Bool
    /// Returns after that long; throws `CancellationError` where the task is cancelled before.
    package var sleep: @Sendable (Duration) async throws -> Void
    /// 0..<1, evenly.
    package var random: @Sendable () -> Double

    /// Hears what the engine does, to count it.
    package var happened: @Sendable (EngineEvent) -> Void = { _ in }

    package init(
        now: @escaping @Sendable () -> Int64, token: @escaping @Sendable () -> String,
        isPortFree: @escaping @Sendable (Int) -> Bool,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        random: @escaping @Sendable () -> Double = { .random(in: 0..<1) }
    ) {
        self.now = now
        self.token = token
        self.isPortFree = isPortFree
        self.sleep = sleep
        self.random = random
    }

    package func environmentID() -> EnvironmentID { EnvironmentID(rawValue: "env-" + token()) }
    package func executionID() -> ExecutionID { ExecutionID(rawValue: "exe-" + token()) }
}

/// What the engine asks of whoever feeds the gateways.
package protocol RoutePublishing: Sendable {
    /// Returns when every gateway routes by what the store and the runtime say now.
    ///
    /// - Returns: the addresses that no gateway could listen on, with the reason, by port.
    @discardableResult
    func publish() async throws -> [Int: String]

    /// Something that routes are made from has changed: they are published soon, and again until it works. Nobody waits.
    func isStale()
}

/// Opens the secrets that the store keeps sealed.
package protocol SecretOpening: Sendable {
    /// The clear values of an environment's secrets by name: a name is one value in the whole environment.
    func secrets(of environment: EnvironmentID) async throws -> [String: String]

    /// The text of a file that came with the Blueprint; `nil` where it did not come.
    func file(_ path: String, of environment: EnvironmentID, revision: Int) async throws -> String?
}
