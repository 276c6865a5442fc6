import NIOCore
import NIOHTTP1

/// A server's answer to the wish for a WebSocket.
package enum WebSocketAnswer: Sendable {
    case open(WebSocket)
    case refused(HTTPFullResponse)
}

extension HTTPClient {
    /// Asks for a WebSocket (RFC 6455) with a GET of `request`'s target and fields. The head of the answer must come
    /// within `headTimeout`; an answer that refuses is read whole, up to 1 MiB. Throws as `send` does.
    package func webSocket(
        _ request: HTTPRequest, subprotocol: String, headTimeout: Duration = .seconds(30),
        maxMessageBytes: Int = 256 << 10
    ) async throws -> WebSocketAnswer {
        let key = WebSocketHandshake.newKey()
        var isUnix = false
        if case .unix = address { isUnix = true }
        var asked = try head(of: request)
        for (name, value) in WebSocketHandshake.wish(key: key, subprotocol: subprotocol) {
            asked.headers.replaceOrAdd(name: name, value: value)
        }
        let exchange = try exchange(asked, body: [], timeout: headTimeout, timeoutEndsWithHead: true)
        let gate = WebSocketClientGate(
            exchange, key: key, subprotocol: subprotocol, isUnix: isUnix, maxMessageBytes: maxMessageBytes)
        begin(exchange, timeout: headTimeout, gate: gate)
        let body = HTTPClientBody(exchange)
        let head = try await body.head()
        if head.status == .switchingProtocols, let connection = gate.connection { return .open(WebSocket(connection)) }
        var bytes: [UInt8] = []
        while bytes.count < 1 << 20, let chunk = try await body.next() { bytes += chunk }
        return .refused(
            HTTPFullResponse(status: Int(head.status.code), fields: HTTPFields(head.headers), body: bytes))
    }
}
