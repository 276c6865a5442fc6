import NIOCore
import NIOHTTP1

/// One request and its response on one connection, from before the connection exists to after it is closed. The first
/// failure is the one that everybody sees.
///
/// Unchecked because promises and queues are guarded by confinement: every variable is touched on `loop` only, which is
/// also the channel's; what comes from elsewhere hops onto it first.
final class HTTPClientExchange: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private enum Phase {
        /// → body, ended (as a WebSocket), failed
        case head
        /// → ended, failed
        case body
        case ended
        case failed(any Error)
    }

    /// Status line and fields together.
    static let maxHeadBytes = 256 << 10

    let loop: any EventLoop
    private let requestHead: HTTPRequestHead
    private let requestBody: [UInt8]
    private let timeoutEndsWithHead: Bool
    private let headPromise: EventLoopPromise<HTTPResponseHead>
    private var phase = Phase.head
    private var channel: (any Channel)?
    private var chunks = CircularBuffer<[UInt8]>()
    private var waiting: EventLoopPromise<[UInt8]?>?
    private var timer: Scheduled<Void>?

    /// The response's head.
    var head: EventLoopFuture<HTTPResponseHead> { headPromise.futureResult }

    /// The clock for `timeout` starts now.
    init(on loop: any EventLoop, head: HTTPRequestHead, body: [UInt8], timeout: Duration, timeoutEndsWithHead: Bool) {
        self.loop = loop
        self.requestHead = head
        self.requestBody = body
        self.timeoutEndsWithHead = timeoutEndsWithHead
        self.headPromise = loop.makePromise()
        let deadline = NIODeadline.now() + TimeAmount(timeout)
        loop.execute {
            guard case .head = self.phase else { return }
            self.timer = loop.scheduleTask(deadline: deadline) {
                let awaited = timeoutEndsWithHead ? "response head" : "complete response"
                self.fail(HTTPClientError(code: .timeout, message: "no \(awaited) within \(timeout)"))
            }
        }
    }

    /// The connection is there: send the request.
    ///
    /// - Parameter gate: the first handler of a connection that is to become a WebSocket.
    func start(on channel: any Channel, behind gate: WebSocketClientGate? = nil) {
        loop.preconditionInEventLoop()
        guard case .head = phase else {
            channel.close(promise: nil)
            return
        }
        self.channel = channel
        do {
            let pipeline = channel.pipeline.syncOperations
            if let gate { try pipeline.addHandler(gate) }
            try pipeline.addHandler(HTTPHeadLimit(self))
            var encoding = HTTPRequestEncoder.Configuration()
            encoding.automaticallySetFramingHeaders = false
            try pipeline.addHTTPClientHandlers(encoderConfiguration: encoding)
            try pipeline.addHandler(self)
        } catch {
            return fail(error)
        }
        channel.write(wrapOutboundOut(.head(requestHead)), promise: nil)
        if !requestBody.isEmpty {
            channel.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: requestBody)))), promise: nil)
        }
        channel.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        channel.read()
    }

    /// The next bytes of the body, nil after the last; nothing is read from the socket before someone asks.
    func nextChunk() -> EventLoopFuture<[UInt8]?> {
        loop.flatSubmit {
            if let chunk = self.chunks.popFirst() { return self.loop.makeSucceededFuture(chunk) }
            switch self.phase {
            case .ended: return self.loop.makeSucceededFuture(nil)
            case .failed(let error): return self.loop.makeFailedFuture(error)
            case .head, .body:
                guard self.waiting == nil else {
                    let error = HTTPClientError(code: .reset, message: "two readers of one response")
                    return self.loop.makeFailedFuture(error)
                }
                let promise = self.loop.makePromise(of: [UInt8]?.self)
                self.waiting = promise
                self.channel?.read()
                return promise.futureResult
            }
        }
    }

    /// Nobody wants the response any more. Any thread.
    func cancel() { loop.execute { self.fail(CancellationError()) } }

    /// Ends the exchange with an error, unless it has ended already. On the loop.
    func fail(_ error: any Error) {
        loop.preconditionInEventLoop()
        switch phase {
        case .ended, .failed: return
        case .head:
            phase = .failed(error)
            headPromise.fail(error)
        case .body: phase = .failed(error)
        }
        settle { $0.fail(error) }
    }

    /// The connection is a WebSocket now and somebody else's. On the loop.
    func upgraded(_ head: HTTPResponseHead) {
        guard case .head = phase else { return }
        phase = .ended
        timer?.cancel()
        timer = nil
        headPromise.succeed(head)
    }

    var isReadingHead: Bool { if case .head = phase { true } else { false } }

    private func settle(_ settle: (EventLoopPromise<[UInt8]?>) -> Void) {
        timer?.cancel()
        timer = nil
        channel?.close(promise: nil)
        if let waiting {
            self.waiting = nil
            settle(waiting)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), phase) {
        case (.head(let head), .head):
            phase = .body
            if timeoutEndsWithHead { timer?.cancel() }
            headPromise.succeed(head)
        case (.body(let bytes), .body):
            let chunk = Array(bytes.readableBytesView)
            guard let waiting else { return chunks.append(chunk) }
            self.waiting = nil
            waiting.succeed(chunk)
        case (.end, .body):
            phase = .ended
            settle { $0.succeed(nil) }
        default: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if isReadingHead || waiting != nil { context.read() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(HTTPClientError(exchanging: error)) }

    func channelInactive(context: ChannelHandlerContext) {
        fail(HTTPClientError(code: .reset, message: "the connection was closed before the response was complete"))
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        fail(HTTPClientError(code: .reset, message: "the connection was closed before the response was complete"))
        channel = nil
    }
}

/// Bounds a response's head, which the decoder itself does not.
private final class HTTPHeadLimit: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let exchange: HTTPClientExchange
    private var bytes = 0

    init(_ exchange: HTTPClientExchange) { self.exchange = exchange }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if exchange.isReadingHead {
            if bytes >= HTTPClientExchange.maxHeadBytes {
                let text = "the response's head is over \(HTTPClientExchange.maxHeadBytes) bytes"
                return exchange.fail(HTTPClientError(code: .tooLarge, message: text))
            }
            bytes += unwrapInboundIn(data).readableBytes
        }
        context.fireChannelRead(data)
    }
}
