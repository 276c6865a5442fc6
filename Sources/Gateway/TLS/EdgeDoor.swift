import NIOCore
import NIOSSL
import NIOTLS

/// The first thing on a connection of the shared edge port: the client's first byte says whether it speaks TLS.
///
/// Plain clients pass, and the door is gone. With TLS it stays nearest to the socket, so that a connection can be closed
/// without the ceremony of TLS (``TLSShell``). Until it is known who speaks, it holds the connection's place among the
/// worker's sessions, with its deadline.
///
/// `@unchecked Sendable`: it lives on its worker's loop.
final class EdgeDoor: ChannelInboundHandler, RemovableChannelHandler, Session, TLSShell, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Type of the record that begins a handshake (RFC 8446 section 5.1). No method begins with it.
    private static let handshakeRecord: UInt8 = 0x16

    private let worker: Worker
    private let identities: TLSIdentities
    /// Puts whoever speaks HTTP behind the door.
    private let enter: (any Channel, Arrival) throws -> Void
    private var context: ChannelHandlerContext?
    private var isShakingHands = false
    private var isDecided = false
    var position = -1
    var deadline: Int64
    let openWork: OpenWork? = nil

    init(worker: Worker, identities: TLSIdentities, enter: @escaping (any Channel, Arrival) throws -> Void) {
        self.worker = worker
        self.identities = identities
        self.enter = enter
        deadline = worker.now + worker.timeouts.keepAlive
        worker.add(self)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !isShakingHands, !isDecided {
            let first = unwrapInboundIn(data)
            if first.getInteger(at: first.readerIndex, as: UInt8.self) == Self.handshakeRecord {
                shakeHands(context)
            } else {
                open(context.channel, Arrival())
                context.fireChannelRead(data)
                return context.pipeline.removeHandler(context: context, promise: nil)
            }
        }
        context.fireChannelRead(data)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // A client that ends before it has said anything, or in the middle of a handshake.
        if !isDecided, let event = event as? ChannelEvent, event == .inputClosed { return fail() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard isDecided else { return fail() }
        context.fireErrorCaught(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        countFailure()
        context.fireChannelInactive()
        self.context = nil
    }

    // MARK: Handshake

    private func shakeHands(_ context: ChannelHandlerContext) {
        isShakingHands = true
        deadline = worker.now + worker.timeouts.handshake
        let channel = context.channel
        // It holds what came until the future succeeds, and then removes itself.
        let names = SNIHandler { [self] result in
            let name: String? = if case .hostname(let name) = result { name } else { nil }
            let ready = identities.context(for: name, on: channel.eventLoop).flatMapThrowing { [self] found in
                try speak(found, on: channel)
            }
            ready.whenFailure { [self] error in refuse(error is UnknownName ? .unrecognizedName : .internalError) }
            return ready
        }
        do {
            try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(names), position: .after(self))
        } catch {
            refuse(.internalError)
        }
    }

    /// The client's name has a certificate: the handshake itself.
    private func speak(_ found: ServerContext, on channel: any Channel) throws {
        guard context != nil, channel.isActive else { throw ChannelError.eof }
        let arrival = TLSArrival { [self] result in
            switch result {
            case .success(let spoken):
                worker.handshakes += 1
                open(channel, Arrival(isSecure: true, spoken: spoken, shell: self))
            case .failure:
                // TLS closes by itself, after its alert.
                countFailure()
            }
        }
        try channel.pipeline.syncOperations.addHandlers(NIOSSLServerHandler(context: found.context), arrival)
    }

    private func countFailure() {
        guard !isDecided else { return }
        if isShakingHands { worker.failedHandshakes += 1 }
        leave()
    }

    private func fail() {
        guard !isDecided else { return }
        countFailure()
        cut()
    }

    /// RFC 8446 section 6.
    private enum Alert: UInt8 {
        case internalError = 80
        case unrecognizedName = 112
    }

    /// There is no session yet, so the alert goes as it is.
    private func refuse(_ alert: Alert) {
        guard !isDecided, let context else { return }
        countFailure()
        let fatal: UInt8 = 2
        let record = ByteBuffer(bytes: [0x15, 3, 3, 0, 2, fatal, alert.rawValue])
        context.writeAndFlush(wrapInboundOut(record), promise: nil)
        cut()
    }

    // MARK: Entering

    private func open(_ channel: any Channel, _ arrival: Arrival) {
        leave()
        do {
            try enter(channel, arrival)
        } catch {
            cut()
        }
    }

    private func leave() {
        isDecided = true
        deadline = .max
        worker.remove(self)
    }

    // MARK: TLSShell

    func cut() { context?.close(promise: nil) }

    // MARK: Session

    func deadlinePassed() { isDecided ? cut() : isShakingHands ? fail() : abort() }

    func tableChanged() {
        if worker.isDraining, !isShakingHands { abort() }
    }

    func abort() {
        leave()
        cut()
    }
}

/// How a client came in.
struct Arrival {
    var isSecure = false
    /// The protocol that was agreed on in the handshake (ALPN, RFC 7301); nil for none.
    var spoken: String?
    var shell: (any TLSShell)?
}

/// What is around a link whose bytes are encrypted.
protocol TLSShell: AnyObject {
    /// Closes the socket at once, without the ceremony of TLS: the peer sees the stream broken off, not ended.
    func cut()
}

/// Waits behind TLS for the handshake, and tells how it went, once.
///
/// `@unchecked Sendable`: it lives on its channel's event loop.
final class TLSArrival: ChannelInboundHandler, RemovableChannelHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private var told: ((Result<String?, any Error>) -> Void)?

    init(_ tell: @escaping (Result<String?, any Error>) -> Void) { told = tell }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? TLSUserEvent, case .handshakeCompleted(let spoken) = event else {
            return context.fireUserInboundEventTriggered(event)
        }
        tell(.success(spoken))
        context.pipeline.removeHandler(context: context, promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard told == nil else { return tell(.failure(error)) }
        context.fireErrorCaught(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        tell(.failure(ChannelError.eof))
        context.fireChannelInactive()
    }

    /// It shall not be waited for any longer.
    func giveUp(_ error: any Error) { tell(.failure(error)) }

    private func tell(_ result: Result<String?, any Error>) {
        guard let tell = told else { return }
        told = nil
        tell(result)
    }
}
