import NIOCore
import NIOHTTP1

/// The first handler of a client's pipeline that asks for a WebSocket: reads the response's head to see whether it is a
/// 101, hands everything to HTTP where it is not, and to the ``WebSocketConnection`` where it is.
///
/// Unchecked because every variable is touched on the channel's event loop only.
final class WebSocketClientGate: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private enum Phase {
        /// → http, open
        case head
        case http
        case open(WebSocketConnection)
    }

    private let exchange: HTTPClientExchange
    private let key: String
    private let subprotocol: String
    private let isUnix: Bool
    private let maxMessageBytes: Int
    private var phase = Phase.head
    private var head = ByteBuffer()
    /// For who waits for the exchange's head, on which loop it is set before.
    private(set) var connection: WebSocketConnection?

    init(_ exchange: HTTPClientExchange, key: String, subprotocol: String, isUnix: Bool, maxMessageBytes: Int) {
        self.exchange = exchange
        self.key = key
        self.subprotocol = subprotocol
        self.isUnix = isUnix
        self.maxMessageBytes = maxMessageBytes
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch phase {
        case .http: context.fireChannelRead(data)
        case .open(let connection): connection.received(unwrapInboundIn(data))
        case .head:
            var bytes = unwrapInboundIn(data)
            head.writeBuffer(&bytes)
            decide(context)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .open(let connection) = phase { return connection.readComplete() }
        context.fireChannelReadComplete()
    }

    func handlerRemoved(context: ChannelHandlerContext) { connection?.channelClosed() }

    private func decide(_ context: ChannelHandlerContext) {
        let view = head.readableBytesView
        let upgrade = Array("HTTP/1.1 101".utf8)
        if !view.prefix(upgrade.count).elementsEqual(upgrade.prefix(view.count)) {
            phase = .http
            return context.fireChannelRead(wrapInboundOut(head))
        }
        guard let end = Self.end(of: view) else {
            guard view.count <= HTTPClientExchange.maxHeadBytes else {
                return exchange.fail(HTTPClientError(code: .tooLarge, message: "the response's head is too large"))
            }
            return
        }
        let lines = String(decoding: head.readBytes(length: end) ?? [], as: UTF8.self).split(separator: "\r\n")
        let fields = HTTPFields(
            lines.dropFirst().compactMap { line in
                let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2 else { return nil }
                return (String(parts[0]), WebSocketHandshake.list(String(parts[1])).joined(separator: ", "))
            })
        if let problem = WebSocketHandshake.problem(in: fields, key: key, subprotocol: subprotocol) {
            return exchange.fail(
                HTTPClientError(code: .malformed, message: "the answer is no WebSocket handshake: \(problem)"))
        }
        let connection = WebSocketConnection(context, role: .client(isUnix: isUnix), maxMessageBytes: maxMessageBytes)
        phase = .open(connection)
        self.connection = connection
        TCPKeepAlive.set(on: context.channel)
        exchange.upgraded(HTTPResponseHead(version: .http1_1, status: .switchingProtocols))
        if head.readableBytes > 0 { connection.received(head) }
        head = ByteBuffer()
    }

    /// Behind the empty line.
    private static func end(of view: ByteBufferView) -> Int? {
        var matched = 0
        for (index, byte) in view.enumerated() {
            let wanted: UInt8 = matched % 2 == 0 ? 13 : 10
            matched = byte == wanted ? matched + 1 : byte == 13 ? 1 : 0
            if matched == 4 { return index + 1 }
        }
        return nil
    }
}
