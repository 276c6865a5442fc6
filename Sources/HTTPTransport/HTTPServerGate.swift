import NIOCore

/// The first handler of a server's pipeline: sees raw bytes and the client's leaving before the decoder and the
/// pipelining handler can hold them back, and writes answers that exist without a request. Once a connection is a
/// WebSocket, everything ends here.
final class HTTPServerGate: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let connection: HTTPServerConnection

    init(_ connection: HTTPServerConnection) { self.connection = connection }

    func handlerAdded(context: ChannelHandlerContext) {
        connection.gate = context
        if context.channel.isActive { connection.opened() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        connection.gate = nil
        connection.webSocket?.channelClosed()
        connection.ended()
    }

    func channelActive(context: ChannelHandlerContext) {
        connection.opened()
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if let webSocket = connection.webSocket { return webSocket.received(unwrapInboundIn(data)) }
        if connection.bytesArrived(unwrapInboundIn(data).readableBytes) { context.fireChannelRead(data) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if let webSocket = connection.webSocket { return webSocket.readComplete() }
        context.fireChannelReadComplete()
        if connection.isDraining { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent { connection.inputClosed() }
        context.fireUserInboundEventTriggered(event)
    }
}
