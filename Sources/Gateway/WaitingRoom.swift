import EnvironmentGraph

/// A copy of a service that a request or a connection waits for.
package struct WantedCopy: Sendable, Hashable, Codable {
    /// The environment whose copy it is: the one that must be awake.
    package var environment: EnvironmentID
    package var service: String

    package init(environment: EnvironmentID, service: String) {
        self.environment = environment
        self.service = service
    }
}

/// Answer to `GET /wanted`.
package struct WantedReply: Sendable, Hashable, Codable {
    /// Grows whenever something begins to wait; to be given back with the next question.
    package var number: UInt64
    /// All that is waited for just now.
    package var wanted: [WantedCopy]
}

/// One event loop's share of what may wait, and how much does.
struct WaitingRoom {
    private let maxCount: Int
    private let maxBytes: Int
    private(set) var count = 0
    private(set) var bytes = 0

    init(limits: GatewayLimits, loops: Int) {
        maxCount = max(1, limits.maxWaiting / loops)
        maxBytes = max(1, limits.maxWaitingBytes / loops)
    }

    mutating func enter(bytes more: Int) -> Bool {
        guard count < maxCount, bytes + more <= maxBytes else { return false }
        count += 1
        bytes += more
        return true
    }

    mutating func leave(bytes less: Int) {
        count -= 1
        bytes -= less
    }
}
