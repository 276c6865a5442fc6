import EnvironmentGraph

/// `GET /status` of the control socket.
package struct GatewayStatus: Sendable, Hashable, Codable {
    package var pid: Int32
    /// The product's.
    package var version: String
    package var tableVersion: UInt64
    package var edgePort: Int
    /// RFC 3339, UTC.
    package var startedAt: String
    /// How many there are in the table.
    package var environments: Int
    /// How many are bound.
    package var listeners: Int
    /// What an operator should know: a table that could not be read or stored, listeners that could not be bound.
    package var problems: [String]
    /// The listeners that could not be bound; absent from an older gateway.
    package var refused: [GatewayTableReply.Listener]?
    /// Of a standalone gateway.
    package var following: FollowingStatus?
}

/// Answer to `PUT /table`: every event loop routes by it now.
package struct GatewayTableReply: Sendable, Hashable, Codable {
    package struct Listener: Sendable, Hashable, Codable {
        package var port: Int
        /// nil: bound.
        package var error: String?
    }

    package var version: UInt64
    package var listeners: [Listener]
    /// Why the table is in use but could not be stored.
    package var storeError: String?
}

/// A refusal, as the control socket writes it and ``GatewayControl`` throws it.
package struct GatewayControlError: Error, Sendable, Hashable, Codable, CustomStringConvertible {
    /// `not_running`, `table_version_older`, `another_base`, `malformed`, `not_found`, `unreachable`, `stopping`, `follower_silent`.
    package var code: String
    package var message: String

    package init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}

struct GatewayErrorEnvelope: Codable {
    var error: GatewayControlError
}

/// `PUT /otlp`.
struct OTLPOrder: Codable {
    var target: OTLPTarget?
}

/// Answer to `POST /spans/flush`: every request that had ended is in the files.
package struct SpanCounts: Sendable, Hashable, Codable {
    /// Since the gateway started.
    package var recorded: UInt64
    /// Because the writer was behind, or the disk full.
    package var lost: UInt64
}
