import NIOCore
import NIOHTTP1

/// One accepted connection: collects a request, runs the handler, writes the response, and holds the client to the
/// limits meanwhile. Its own end is one of: the client closes, a limit is passed, a response says `close`, the server
/// stops.
///
/// Unchecked because NIO's handler contexts are not `Sendable`: every variable is touched on the channel's event loop
/// only; what comes from elsewhere (`stopGracefully`, `stopNow`, the writes of a response) hops onto it first.
final class HTTPServerConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    enum Phase {
        /// Between requests. → head, draining, closed
        case idle
        /// Some bytes of a head are there. → body, draining, closed
        case head
        /// The head is there, its body comes. → handling, draining, closed
        case body
        /// The handler runs or its response is being written. → idle, upgraded, finishing, closed
        case handling
        /// It is a WebSocket. → closed
        case upgraded
        /// The last part of the last response is being written. → draining, closed
        case finishing
        /// All is said; what the client still sends is thrown away until it closes. Closing at once would make the
        /// kernel reset the connection, and the client lose the answer (RFC 9112 section 9.6). → closed
        case draining
        case closed
    }

    /// How long a client may go on sending after the last answer.
    private static let drainTime = Duration.seconds(2)

    let channel: any Channel
    let limits: HTTPServer.Limits
    private let peer: HTTPPeer
    private let connections: HTTPServerConnections
    private let handler: HTTPServer.Handler

    var gate: ChannelHandlerContext?
    var context: ChannelHandlerContext?
    var phase = Phase.idle
    var closesAfterResponse = false
    var inputIsClosed = false
    var stopping = false
    /// Bytes of the next request came while this one was being answered.
    var hasEarlyBytes = false
    /// The running handler and the writing of its response. Cancelled by `leave` when a stream's client is gone and by
    /// `stopNow`; the server's `run` waits for it through `connections`.
    var job: Task<Void, Never>?
    var isStreaming = false
    /// What is streamed has no end that would be worth waiting for.
    var isEndless = false
    var webSocket: WebSocketConnection?
    private var overloaded = false
    private var headBytes = 0
    private var request: HTTPRequest?
    private var version = HTTPVersion.http1_1
    /// A pipelined request that is complete while the job before it still returns.
    private var next: HTTPRequest?
    private var timer: Scheduled<Void>?
    var stallTimer: Scheduled<Void>?

    init(
        channel: any Channel, peer: HTTPPeer, limits: HTTPServer.Limits, connections: HTTPServerConnections,
        handler: @escaping HTTPServer.Handler
    ) {
        self.channel = channel
        self.peer = peer
        self.limits = limits
        self.connections = connections
        self.handler = handler
    }

    var isDraining: Bool { phase == .draining }
    var currentRequest: HTTPRequest? { request }
    var requestMethod: String { request?.method ?? "GET" }
    var requestVersion: HTTPVersion { version }

    /// Builds the pipeline; a connection over the limit gets one that can only say so.
    func install() throws {
        channel.eventLoop.preconditionInEventLoop()
        let pipeline = channel.pipeline.syncOperations
        switch connections.admit(self) {
        case .refused: throw ChannelError.ioOnClosedChannel
        case .overloaded: overloaded = true
        case .admitted: break
        }
        do {
            try pipeline.addHandler(HTTPServerGate(self))
            var encoding = HTTPResponseEncoder.Configuration()
            encoding.automaticallySetFramingHeaders = false
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: true, withServerUpgrade: nil, withErrorHandling: false,
                withOutboundHeaderValidation: true, withEncoderConfiguration: encoding)
            try pipeline.addHandler(self)
        } catch {
            connections.remove(self)
            throw error
        }
    }

    // MARK: From the gate

    func opened() {
        if overloaded {
            refuse(503, "overloaded", "the server has as many connections as it may; try again")
        } else {
            arm(limits.headTimeout) { $0.refuseSlowHead() }
        }
    }

    /// False: the bytes are not for the decoder.
    func bytesArrived(_ count: Int) -> Bool {
        switch phase {
        case .idle:
            phase = .head
            headBytes = count
            arm(limits.headTimeout) { $0.refuseSlowHead() }
            return true
        case .head:
            if headBytes >= limits.maxHeadBytes {
                refuse(431, "head_too_large", "request line and fields are over \(limits.maxHeadBytes) bytes")
                return false
            }
            headBytes += count
            return true
        case .handling:
            hasEarlyBytes = true
            return true
        case .body: return true
        case .upgraded, .finishing, .draining, .closed: return false
        }
    }

    func inputClosed() {
        inputIsClosed = true
        switch phase {
        case .idle, .head, .body, .draining: close()
        case .handling: if isStreaming { leave() }
        case .upgraded: webSocket?.inputEnded()
        case .finishing, .closed: break
        }
    }

    // MARK: Requests

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): if phase == .head || phase == .idle { begin(head) }
        case .body(let bytes): if phase == .body { append(bytes) }
        case .end: if phase == .body { complete() }
        }
    }

    private func begin(_ head: HTTPRequestHead) {
        phase = .body
        version = head.version
        closesAfterResponse = !head.isKeepAlive
        guard head.version.major == 1, HTTPSyntax.isTarget(head.uri) else {
            return refuse(400, "malformed_request", "the request line is not HTTP/1.1 with a target that begins with /")
        }
        guard head.version.minor == 0 || head.headers["host"].count == 1 else {
            return refuse(400, "malformed_request", "exactly one host field is needed")
        }
        let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        guard length <= limits.maxBodyBytes else { return refuseLargeBody() }
        let fields = HTTPFields(head.headers.map { ($0.name, $0.value) })
        request = HTTPRequest(head.method.rawValue, head.uri, fields: fields)
        arm(limits.bodyTimeout) {
            $0.refuse(408, "request_timeout", "the body did not come within \($0.limits.bodyTimeout)")
        }
        if head.version.minor > 0, head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }) {
            writeRaw("HTTP/1.1 100 Continue\r\n\r\n", promise: nil)
        }
    }

    private func append(_ bytes: ByteBuffer) {
        guard (request?.body.count ?? 0) + bytes.readableBytes <= limits.maxBodyBytes else { return refuseLargeBody() }
        request?.body += bytes.readableBytesView
    }

    private func complete() {
        guard let request else { return }
        disarm()
        phase = .handling
        hasEarlyBytes = false
        if job == nil { run(request) } else { next = request }
    }

    private func run(_ request: HTTPRequest) {
        // Ends with its response; see `job` for who else ends it and who waits.
        job = Task { [handler, peer] in
            let response = await handler(request, peer)
            await self.send(response)
            self.channel.eventLoop.execute { self.jobEnded() }
        }
    }

    private func jobEnded() {
        job = nil
        isStreaming = false
        isEndless = false
        if phase == .closed { return connections.remove(self) }
        guard let request = next else { return }
        next = nil
        run(request)
    }

    // MARK: Refusals

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError, phase == .idle || phase == .head || phase == .body else {
            if phase != .draining && phase != .finishing && phase != .upgraded { close() }
            return
        }
        if error == .headerOverflow {
            refuse(431, "head_too_large", "a field of the request is too large")
        } else {
            refuse(400, "malformed_request", "the request is not valid HTTP/1.1: \(error)")
        }
    }

    private func refuseSlowHead() {
        refuse(408, "request_timeout", "no complete request head came within \(limits.headTimeout)")
    }

    private func refuseLargeBody() {
        refuse(413, "payload_too_large", "the body is over \(limits.maxBodyBytes) bytes")
    }

    /// Answers without a handler, then ends the connection, for where the next request begins is not known any more.
    private func refuse(_ status: Int, _ code: String, _ message: String) {
        let body = HTTPSyntax.errorBody(code: code, message: message)
        let retry = status == 503 ? "retry-after: 1\r\n" : ""
        let head =
            "HTTP/1.1 \(status) \(HTTPResponseStatus(statusCode: status).reasonPhrase)\r\n"
            + "content-type: application/json\r\ncontent-length: \(body.count)\r\n\(retry)connection: close\r\n\r\n"
        request = nil
        let written = channel.eventLoop.makePromise(of: Void.self)
        drain(after: written.futureResult)
        writeRaw(head + String(decoding: body, as: UTF8.self), promise: written)
    }

    private func writeRaw(_ text: String, promise: EventLoopPromise<Void>?) {
        guard let gate else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        gate.writeAndFlush(NIOAny(gate.channel.allocator.buffer(string: text)), promise: promise)
    }

    // MARK: The end

    /// Once `written` is done, says that nothing more will come, and waits a little for the client to close.
    func drain(after written: EventLoopFuture<Void>) {
        phase = .draining
        arm(Self.drainTime) { $0.close() }
        written.flatMap { self.gate?.close(mode: .output) ?? self.channel.eventLoop.makeSucceededVoidFuture() }
            .whenComplete { result in
                if case .failure = result { return self.close() }
                if self.inputIsClosed || self.stopping { return self.close() }
                self.gate?.read()
            }
    }

    /// The client of a streamed response is gone: nobody needs the rest.
    private func leave() {
        job?.cancel()
        close()
    }

    func close() {
        guard phase != .closed else { return }
        gate?.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    /// The channel is closed, or was closed before it was ever active. May be called twice.
    func ended() {
        phase = .closed
        disarm()
        stallTimer?.cancel()
        next = nil
        if isStreaming { job?.cancel() }
        if job == nil { connections.remove(self) }
    }

    func stopGracefully() {
        channel.eventLoop.execute {
            self.stopping = true
            switch self.phase {
            case .idle, .head, .draining: self.close()
            case .upgraded: self.job?.cancel()
            case .handling where self.isEndless: self.job?.cancel()
            case .body, .handling, .finishing, .closed: break
            }
        }
    }

    func stopNow() {
        channel.eventLoop.execute {
            self.job?.cancel()
            self.close()
        }
    }

    // MARK: Timers

    func arm(_ time: Duration, _ action: @escaping @Sendable (HTTPServerConnection) -> Void) {
        timer?.cancel()
        timer = channel.eventLoop.scheduleTask(in: TimeAmount(time)) { action(self) }
    }

    private func disarm() {
        timer?.cancel()
        timer = nil
    }

    /// The response is complete and the connection is kept: wait for the next request.
    func awaitNextRequest() {
        request = nil
        phase = .idle
        if hasEarlyBytes {
            phase = .head
            headBytes = 0
            arm(limits.headTimeout) { $0.refuseSlowHead() }
        } else {
            arm(limits.idleTimeout) { $0.close() }
        }
    }
}
