/// What a connection becomes after its request: a WebSocket that `serve` holds until it returns.
package struct WebSocketUpgrade: Sendable {
    /// The one sub-protocol that is spoken (RFC 6455 section 1.9).
    package var subprotocol: String
    /// A longer message ends the connection with 1009.
    package var maxMessageBytes: Int
    /// Its task is cancelled when the server stops. That the client left it learns from the socket.
    package var serve: @Sendable (WebSocket) async -> Void

    package init(
        subprotocol: String, maxMessageBytes: Int = 256 << 10, serve: @escaping @Sendable (WebSocket) async -> Void
    ) {
        self.subprotocol = subprotocol
        self.maxMessageBytes = maxMessageBytes
        self.serve = serve
    }
}

extension HTTPResponse {
    /// 101 where the request asks for a WebSocket with this sub-protocol, else 426.
    package static func webSocket(_ upgrade: WebSocketUpgrade) -> HTTPResponse {
        HTTPResponse(status: 101, body: .webSocket(upgrade))
    }
}
