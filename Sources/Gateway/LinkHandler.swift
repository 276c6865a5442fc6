import Glibc
import NIOCore

/// ``Link`` on a NIO channel: a thin driver that keeps bytes which were not taken, gathers small writes, and turns
/// reading on and off.
///
/// `@unchecked Sendable`: it is used on its channel's event loop only.
final class LinkHandler: ChannelDuplexHandler, Link, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = Never
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Up to here a copy into the buffer that is sent anyway is cheaper than a write of its own.
    private static let copiedBytes = 8192

    var owner: (any LinkOwner)?
    /// nil: the bytes go as they are.
    var shell: (any TLSShell)?
    private var context: ChannelHandlerContext?
    /// Small writes until the next flush; its memory is used again and again.
    private var out = ByteBuffer()
    /// Came and was not taken.
    private var kept = ByteBuffer()
    /// Is being delivered.
    private var current = ByteBuffer()
    private var isPaused = false
    private var isDelivering = false
    /// A read that was held back.
    private var owesRead = false
    private var needsFlush = false
    private var inputEnded = false
    private var isBroken = false
    private var isClosing = false
    private var isStale = false
    private(set) var isSending = false
    /// TCP_ESTABLISHED of the kernel's states.
    private static let established = 1

    init(owner: (any LinkOwner)? = nil) { self.owner = owner }

    var isOpen: Bool { context != nil && !isClosing }

    // MARK: Link

    var trouble: LinkTrouble { .none }

    var isWritable: Bool { context?.channel.isWritable ?? true }

    func write(_ bytes: UnsafeRawBufferPointer) {
        out.writeBytes(bytes)
        needsFlush = true
    }

    func relay(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, from source: any Link) {
        guard range.count > Self.copiedBytes, let source = source as? LinkHandler,
            let slice = source.current.getSlice(
                at: source.current.readerIndex + range.lowerBound, length: range.count)
        else { return write(UnsafeRawBufferPointer(rebasing: bytes[range])) }
        guard let context else { return }
        writeOut(context)
        context.write(wrapOutboundOut(slice), promise: nil)
        needsFlush = true
    }

    func flush() {
        guard needsFlush, let context else { return }
        needsFlush = false
        writeOut(context)
        context.flush()
        // Nobody else holds the memory any more if all was sent, and it is used again.
        out.clear()
    }

    func pauseReading() { isPaused = true }

    func resumeReading() {
        isPaused = false
        guard !isDelivering else { return }
        if deliver() { owner?.readCompleted(self) }
        guard owesRead, !holdsReads, let context else { return }
        owesRead = false
        context.read()
    }

    func closeOutput() {
        // Under TLS, saying the end is the first half of closing: the peer answers with its own.
        guard shell == nil else { return close() }
        afterWrites { $0.close(mode: .output, promise: nil) }
    }

    func close() {
        guard !isClosing else { return }
        isClosing = true
        afterWrites { $0.close(promise: nil) }
    }

    func abort(reset: Bool) {
        guard let context else { return }
        isClosing = true
        if reset, let options = context.channel as? any SocketOptionProvider {
            // Where it does not work, the connection ends instead of breaking.
            _ = options.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        }
        if let shell { shell.cut() } else { context.close(promise: nil) }
    }

    /// Asks the kernel whether the peer has closed already; the event loop may not have been told yet.
    func checkIsStale() -> Bool {
        guard isOpen, let options = context?.channel as? any SocketOptionProvider else { return true }
        isStale = true
        // On its own loop the answer is there at once.
        options.getTCPInfo().whenSuccess { [self] info in isStale = Int(info.tcpi_state) != Self.established }
        return isStale
    }

    private func writeOut(_ context: ChannelHandlerContext) {
        guard out.readableBytes > 0 else { return }
        context.write(wrapOutboundOut(out), promise: nil)
        out.clear()
    }

    /// NIO drops what is not yet written when a channel closes, so closing waits behind an empty write.
    private func afterWrites(_ action: @escaping @Sendable (ChannelHandlerContext) -> Void) {
        guard let context else { return }
        flush()
        isSending = true
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { _ in
            self.isSending = false
            guard let context = self.context else { return }
            action(context)
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
    }

    // MARK: Delivering

    private var holdsReads: Bool {
        isPaused || (kept.readableBytes > 0 && !(owner?.wantsBytes(from: self) ?? false))
    }

    /// Hands over what came, as long as somebody wants it. True if anything was.
    @discardableResult
    private func deliver() -> Bool {
        guard !isDelivering else { return false }
        isDelivering = true
        defer { isDelivering = false }
        var any = false
        while kept.readableBytes > 0, !isPaused, let owner, owner.wantsBytes(from: self) {
            current = kept
            kept = ByteBuffer()
            let taken = current.withUnsafeReadableBytes { owner.received($0, from: self) }
            current.moveReaderIndex(forwardBy: taken)
            if current.readableBytes > 0 { kept = current }
            current = ByteBuffer()
            any = any || taken > 0
            if taken == 0 { break }
        }
        if inputEnded, kept.readableBytes == 0 || isIncomplete || owner?.wantsEnd(of: self) == true {
            inputEnded = false
            owner?.inputClosed(self)
        }
        return any
    }

    /// What is kept is wanted, but too little to be taken.
    private var isIncomplete: Bool { !isPaused && (owner?.wantsBytes(from: self) ?? true) }
}

extension LinkHandler {
    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var chunk = unwrapInboundIn(data)
        if kept.readableBytes == 0 { kept = chunk } else { kept.writeBuffer(&chunk) }
        deliver()
    }

    func channelReadComplete(context: ChannelHandlerContext) { owner?.readCompleted(self) }

    func read(context: ChannelHandlerContext) {
        if holdsReads { owesRead = true } else { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) { owner?.writabilityChanged(self) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else { return }
        inputEnded = true
        deliver()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isBroken = true
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // What came before the end is still worth something to the other side.
        isPaused = false
        deliver()
        self.context = nil
        let last = owner
        owner = nil
        last?.closed(self, cleanly: !isBroken)
    }
}
