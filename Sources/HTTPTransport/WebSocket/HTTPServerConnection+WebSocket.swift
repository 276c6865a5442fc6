import NIOCore

extension HTTPServerConnection {
    /// Answers the handshake and runs the upgrade's task; returns when the connection is closed.
    func send(_ response: HTTPResponse, _ upgrade: WebSocketUpgrade) async throws {
        let connection = try await channel.eventLoop.submit { self.upgrade(upgrade) }.get()
        guard let connection else { return await send(Self.upgradeRequired(upgrade.subprotocol)) }
        let socket = WebSocket(connection)
        await upgrade.serve(socket)
        await socket.close(Task.isCancelled ? .goingAway : .normal)
    }

    private static func upgradeRequired(_ subprotocol: String) -> HTTPResponse {
        let message = "this is a WebSocket (RFC 6455, version 13) that speaks \(subprotocol)"
        return HTTPResponse(
            status: 426,
            fields: HTTPFields([("content-type", "application/json"), ("sec-websocket-version", "13")]),
            body: .bytes(HTTPSyntax.errorBody(code: "upgrade_required", message: message)))
    }

    /// From here on the gate hands all bytes to the WebSocket. A client sends none before it has read the 101, so the
    /// decoder behind the gate holds none.
    private func upgrade(_ upgrade: WebSocketUpgrade) -> WebSocketConnection? {
        guard phase == .handling, let gate, let request = currentRequest, !inputIsClosed, !hasEarlyBytes,
            let fields = WebSocketHandshake.answer(request, subprotocol: upgrade.subprotocol)
        else { return nil }
        phase = .upgraded
        // `read` is now only called by the WebSocket; that of a channel that has just become quiet cannot fail.
        try? channel.syncOptions?.setOption(ChannelOptions.autoRead, value: false)
        TCPKeepAlive.set(on: channel)
        let head =
            "HTTP/1.1 101 Switching Protocols\r\n"
            + fields.map { "\($0.name): \($0.value)\r\n" }.joined() + "\r\n"
        gate.writeAndFlush(NIOAny(gate.channel.allocator.buffer(string: head)), promise: nil)
        let connection = WebSocketConnection(gate, role: .server, maxMessageBytes: upgrade.maxMessageBytes)
        webSocket = connection
        connection.readComplete()
        if stopping { job?.cancel() }
        return connection
    }
}

/// Finds a TCP peer that is gone without a word within a minute of silence: what a WebSocket's pings cannot do while its
/// reader is slow and reads no pong either.
enum TCPKeepAlive {
    private static let idleSeconds = 30
    private static let intervalSeconds = 10
    private static let probes = 3

    static func set(on channel: any Channel) {
        guard let options = channel.syncOptions, channel.localAddress?.protocol != .unix else { return }
        // On a socket that is just closing; its end is noticed anyway.
        try? options.setOption(ChannelOptions.socketOption(.so_keepalive), value: 1)
        #if os(Linux)
            // TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT of tcp(7), which NIO does not name.
            for (name, value) in [(4, idleSeconds), (5, intervalSeconds), (6, probes)] {
                let option = ChannelOptions.Types.SocketOption(
                    level: .tcp, name: NIOBSDSocket.Option(rawValue: CInt(name)))
                try? options.setOption(option, value: value)  // As above.
            }
        #endif
    }
}
