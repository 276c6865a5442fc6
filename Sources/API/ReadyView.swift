/// `GET /v1/ready`: whether the server can take work, part by part. Where one cannot, the reply is 503 with the same parts
/// as the error's details (`code` names the part).
package struct ReadyView: Codable, Sendable, Hashable {
    package struct Part: Codable, Sendable, Hashable {
        /// `store`, `executions`, `gateway` or `routes`.
        package var name: String
        /// Absent where it is ready.
        package var reason: String?

        package init(_ name: String, _ reason: String?) {
            self.name = name
            self.reason = reason
        }
    }

    package var ready: Bool
    package var parts: [Part]

    package init(_ parts: [Part]) {
        ready = parts.allSatisfy { $0.reason == nil }
        self.parts = parts
    }
}

/// `GET /v1/health` for those who have no token.
package struct AliveView: Codable, Sendable, Hashable {
    package var status = "alive"

    package init() {}
}
