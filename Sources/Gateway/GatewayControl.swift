import EnvironmentGraph
import Foundation
import HTTPTransport

/// The server's end of a gateway's control socket. Throws ``GatewayControlError``.
package struct GatewayControl: Sendable {
    private let client: HTTPClient

    /// - Parameter folder: the gateway's state folder.
    package init(folder: String) {
        client = HTTPClient(.unix(path: GatewayConfiguration.socketPath(inFolder: folder)))
    }

    /// Returns once every event loop routes by the table and every listener is bound or has its error in the reply.
    package func putTable(_ table: RoutingTable) async throws -> GatewayTableReply {
        try await send(HTTPRequest("PUT", "/table", body: Array(try JSONEncoder().encode(table))))
    }

    /// As ``putTable(_:)`` for what has changed; the reply names only the listeners that could not be bound. Fails with
    /// `another_base` where the gateway routes by another table than the one that the change is of.
    package func patchTable(_ delta: RoutingDelta) async throws -> GatewayTableReply {
        try await send(HTTPRequest("PATCH", "/table", body: Array(try JSONEncoder().encode(delta))))
    }

    /// - Parameter limit: whoever asks how the gateway does must not hang with it.
    package func status(within limit: Duration = .seconds(3)) async throws -> GatewayStatus {
        try await send(HTTPRequest("GET", "/status"), within: limit)
    }

    package func counts() async throws -> CountSnapshot { try await send(HTTPRequest("GET", "/counts")) }

    /// What each environment has to do with requests; see ``ActivitySnapshot/quietSince(_:)``.
    package func activity(within limit: Duration = .seconds(30)) async throws -> ActivitySnapshot {
        try await send(HTTPRequest("GET", "/activity"), within: limit)
    }

    /// Where spans are sent from now on; `nil`: nowhere.
    package func putOTLP(_ target: OTLPTarget?) async throws {
        let body = Array(try JSONEncoder().encode(OTLPOrder(target: target)))
        let _: String = try await send(HTTPRequest("PUT", "/otlp", body: body), within: .seconds(3))
    }

    /// Rate, errors and duration by (environment, service, provider).
    package func measures() async throws -> MeasureSnapshot { try await send(HTTPRequest("GET", "/measures")) }

    /// Returns when every request that had ended is in the gateway's files, for ``SpanFolder``.
    @discardableResult
    package func flushSpans() async throws -> SpanCounts {
        try await send(HTTPRequest("POST", "/spans/flush"), within: .seconds(3))
    }

    /// What requests and connections wait for. Without a number at once; with the last reply's, when there may be more, or
    /// after a while.
    package func wanted(since number: UInt64?, within limit: Duration = .seconds(30)) async throws -> WantedReply {
        try await send(HTTPRequest("GET", "/wanted" + (number.map { "?since=\($0)" } ?? "")), within: limit)
    }

    /// Asks the gateway to stop accepting, finish what is in flight, and end.
    package func shutdown() async throws {
        let _: GatewayStatus = try await send(HTTPRequest("POST", "/shutdown"))
    }

    private func send<Reply: Decodable>(
        _ request: HTTPRequest, within limit: Duration = .seconds(30)
    ) async throws -> Reply {
        let response: HTTPFullResponse
        do {
            response = try await client.send(request, timeout: limit)
        } catch let error as HTTPClientError {
            let isDown = error.code == .connectRefused || error.code == .notFound
            throw GatewayControlError(
                code: isDown ? "not_running" : "unreachable", message: "the gateway does not answer: \(error.message)")
        }
        let body = Data(response.body)
        do {
            guard response.status == 200 else {
                throw try JSONDecoder().decode(GatewayErrorEnvelope.self, from: body).error
            }
            return try JSONDecoder().decode(Reply.self, from: body)
        } catch let error as DecodingError {
            throw GatewayControlError(
                code: "malformed", message: "the gateway's answer (status \(response.status)) is malformed: \(error)")
        }
    }
}
