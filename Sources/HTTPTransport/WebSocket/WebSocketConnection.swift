import NIOCore

/// The driver of a ``WebSocketParser`` on one channel: it is fed by the first handler of a pipeline and writes through
/// that handler, so that the handlers behind it (those of HTTP/1.1, which did the handshake) see nothing more.
///
/// Unchecked because NIO's contexts and promises are guarded by confinement: every variable is touched on `loop` only,
/// which is the channel's; what comes from elsewhere hops onto it first.
final class WebSocketConnection: @unchecked Sendable {
    enum Role: Sendable, Hashable {
        /// Over a Unix socket the mask's key is zero: what a mask is for, proxies that take frames for requests (section
        /// 10.3), cannot stand in between there.
        case client(isUnix: Bool)
        case server
    }

    private enum Phase {
        /// → closing, ended
        case open
        /// Our close frame is out; what comes is thrown away. → ended
        case closing
        /// The other side closed or is gone. What it sent before can still be received.
        case ended
    }

    /// How much is held for a reader that does not ask.
    private static let inboxBytes = 128 << 10
    /// How long the other side may take to answer a close.
    private static let closeTime = Duration.seconds(2)
    private static let pingPeriod = Duration.seconds(30)

    let loop: any EventLoop
    /// Succeeds when the other side closed or is gone.
    let ended: EventLoopPromise<Void>
    /// Succeeds when the connection is closed.
    let gone: EventLoopPromise<Void>
    private(set) var closeCode: WebSocketCloseCode?
    private let role: Role
    /// The first handler's; `nil` when the channel is closed.
    private var context: ChannelHandlerContext?
    private var parser: WebSocketParser
    private var phase = Phase.open
    private var inbox = CircularBuffer<(message: WebSocketMessage, bytes: Int)>()
    private var held = 0
    private var waiting: EventLoopPromise<WebSocketMessage?>?
    private var failure: WebSocketBroken?
    private var isReading = false
    private var controlIsOut = false
    private var pinging: RepeatedTask?
    private var closeTimer: Scheduled<Void>?

    /// On the channel's loop, once the handshake is done.
    init(_ context: ChannelHandlerContext, role: Role, maxMessageBytes: Int) {
        loop = context.eventLoop
        ended = loop.makePromise()
        gone = loop.makePromise()
        self.context = context
        self.role = role
        parser = WebSocketParser(maxMessageBytes: maxMessageBytes, expectsMask: role == .server)
        if role == .server {
            let period = TimeAmount(Self.pingPeriod)
            pinging = loop.scheduleRepeatedTask(initialDelay: period, delay: period) { [weak self] _ in
                self?.sendControl(.ping, [])
            }
        }
    }

    // MARK: From the channel

    func received(_ bytes: ByteBuffer) {
        isReading = false
        guard phase != .ended else { return }
        do {
            try parser.feed(bytes.readableBytesView) { take($0) }
        } catch {
            fail(WebSocketBroken(message: error.message), telling: error.code)
        }
    }

    func readComplete() { readIfWanted() }

    /// The other side will send no more, or the channel is closed.
    func inputEnded() {
        if phase == .ended { context?.close(promise: nil) }
        fail(WebSocketBroken(message: "the connection was closed without a word"), telling: nil)
    }

    func channelClosed() {
        inputEnded()
        context = nil
        closeTimer?.cancel()
        gone.succeed(())
    }

    private func take(_ event: WebSocketParser.Event) {
        switch event {
        case .message(let message):
            guard phase == .open else { return }
            if let waiting {
                self.waiting = nil
                waiting.succeed(message)
            } else {
                let bytes = message.byteCount
                inbox.append((message, bytes))
                held += bytes
            }
        case .ping(let payload): if phase == .open { sendControl(.pong, payload) }
        case .pong: break
        case .close(let code, _):
            closeCode = code
            if phase == .open { write(.close, closePayload(code ?? .normal, ""), promise: nil) }
            end()
            drain()
        }
    }

    // MARK: From the owner

    func receive(_ promise: EventLoopPromise<WebSocketMessage?>) {
        onLoop {
            if let first = self.inbox.popFirst() {
                self.held -= first.bytes
                promise.succeed(first.message)
                self.readIfWanted()
            } else if self.phase != .open {
                if let failure = self.failure { promise.fail(failure) } else { promise.succeed(nil) }
            } else if self.waiting != nil {
                promise.fail(WebSocketBroken(message: "two readers of one WebSocket"))
            } else {
                self.waiting = promise
                self.readIfWanted()
            }
        }
    }

    func cancelReceive(_ promise: EventLoopPromise<WebSocketMessage?>) {
        onLoop {
            if self.waiting?.futureResult === promise.futureResult { self.waiting = nil }
            promise.fail(CancellationError())
        }
    }

    func send(_ message: WebSocketMessage, _ promise: EventLoopPromise<Void>) {
        onLoop {
            guard self.phase == .open else {
                let reason = self.failure ?? WebSocketBroken(message: "the connection is closed")
                return promise.fail(reason)
            }
            switch message {
            case .text(let text): self.write(.text, Array(text.utf8), promise: promise)
            case .binary(let bytes): self.write(.binary, bytes, promise: promise)
            }
        }
    }

    func close(_ code: WebSocketCloseCode, reason: String) {
        onLoop {
            if self.phase == .open {
                self.phase = .closing
                self.inbox = []
                self.held = 0
                self.waiting?.succeed(nil)
                self.waiting = nil
                self.write(.close, self.closePayload(code, reason), promise: nil)
            }
            self.drain()
        }
    }

    func abort() { onLoop { self.context?.close(promise: nil) } }

    // MARK: The end

    private func fail(_ error: WebSocketBroken, telling code: WebSocketCloseCode?) {
        guard phase != .ended else { return }
        if phase == .open {
            failure = error
            if let code { write(.close, closePayload(code, error.message), promise: nil) }
        }
        end()
        drain()
    }

    private func end() {
        let wasOpen = phase == .open
        phase = .ended
        pinging?.cancel()
        if wasOpen, let waiting {
            self.waiting = nil
            if let failure { waiting.fail(failure) } else { waiting.succeed(nil) }
        }
        ended.succeed(())
    }

    /// A client lets the server close first (section 7.1.1), a server closes when the client has answered; neither waits
    /// for long.
    private func drain() {
        pinging?.cancel()
        guard let context else { return }
        if phase == .ended, role == .server || failure != nil {
            // What was written before goes out first.
            context.close(mode: .output, promise: nil)
        }
        guard closeTimer == nil else { return }
        let time = phase == .ended && failure != nil ? Duration.milliseconds(200) : Self.closeTime
        closeTimer = loop.scheduleTask(in: TimeAmount(time)) { self.context?.close(promise: nil) }
        readIfWanted()
    }

    private func closePayload(_ code: WebSocketCloseCode, _ reason: String) -> [UInt8] {
        var text = Array(reason.utf8.prefix(WebSocketFrame.maxControlBytes - 2))
        while !text.isEmpty, String(validating: text, as: UTF8.self) == nil { text.removeLast() }
        return [UInt8(code.rawValue >> 8), UInt8(truncatingIfNeeded: code.rawValue)] + text
    }

    // MARK: Reading and writing

    private func readIfWanted() {
        guard !isReading, let context, waiting != nil || held < Self.inboxBytes || phase != .open else { return }
        isReading = true
        context.read()
    }

    /// At most one at a time: a peer that pings and does not read makes nothing grow.
    private func sendControl(_ opcode: WebSocketFrame.Opcode, _ payload: [UInt8]) {
        guard !controlIsOut, phase == .open else { return }
        controlIsOut = true
        let written = loop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in self.controlIsOut = false }
        write(opcode, payload, promise: written)
    }

    private func write(_ opcode: WebSocketFrame.Opcode, _ payload: [UInt8], promise: EventLoopPromise<Void>?) {
        guard let context else {
            promise?.fail(WebSocketBroken(message: "the connection is closed"))
            return
        }
        let mask: UInt32? =
            switch role {
            case .server: nil
            case .client(isUnix: true): 0
            case .client(isUnix: false): UInt32.random(in: .min ... .max)
            }
        let frame = WebSocketFrame(opcode: opcode, payload: payload).encoded(mask: mask)
        let written = loop.makePromise(of: Void.self)
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: frame)), promise: written)
        guard let promise else { return }
        written.futureResult.flatMapErrorThrowing { throw WebSocketBroken(message: "the connection broke: \($0)") }
            .cascade(to: promise)
    }

    private func onLoop(_ body: @escaping @Sendable () -> Void) {
        if loop.inEventLoop { body() } else { loop.execute(body) }
    }
}

extension WebSocketMessage {
    var byteCount: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .binary(let bytes): bytes.count
        }
    }
}
