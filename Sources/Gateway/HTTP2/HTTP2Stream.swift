import CNghttp2
import HTTPWire

/// One stream of an HTTP/2 connection as a ``Link`` that speaks HTTP/1.1 (ADR 29).
///
/// What comes is written down as an HTTP/1.1 message and delivered; what is written is read as one and goes out as frames.
/// So there is one exchange for all versions, with one parser that every request passes, and each stream is decided by
/// itself. A stream object serves one message pair after another, as a connection that is kept alive does.
///
/// `@unchecked Sendable`: it is used on its connection's event loop only.
final class HTTP2Stream: Link, @unchecked Sendable {
    /// What waits to be sent before the owner is asked to stop, in bytes.
    private static let highWater = 128 << 10
    /// Buffers that have grown beyond this are not kept for the next message.
    private static let keptCapacity = 64 << 10

    private enum Outgoing {
        case head
        case length(Int)
        case chunked
        case untilClose
        case ended
    }

    var owner: (any LinkOwner)?
    /// 0 between messages.
    private(set) var id: Int32 = 0
    private(set) var trouble = LinkTrouble.none
    private(set) var connection: HTTP2Connection?
    /// Given back by whoever asked through it, or never handed out.
    var isReleased = false
    /// Something was noted that its connection must see to.
    var isNoted = false
    /// In the list of streams that wait for their next message.
    var isIdle = false

    // What comes in.
    private var inbox = ByteQueue()
    /// Bytes of content that the peer's window waits for.
    private var unconsumed = 0
    private var framing = HTTP2BodyFraming.plain
    private var gotHead = false
    private var inputEnded = false
    private var isPaused = false
    private var isDelivering = false
    private var closeCode: UInt32?
    private var isHead = false

    // What goes out.
    private var outgoing = Outgoing.head
    private var requestParser = RequestHeadParser(.forwarded)
    private var responseParser = ResponseHeadParser(.forwarded)
    private var chunks = ChunkedReader()
    private var outbox = ByteQueue()
    private var trailers = HeaderList()
    private var isDeferred = false
    private var isOverfull = false
    private var closesAfterwards = false
    /// The library has the end of what goes out.
    private var hasFetchedEnd = false
    /// When the request was written, and when its answer was taken, by the worker's clock.
    private var askedAt: Int64 = 0
    private(set) var releasedAt: Int64 = .max

    init(_ connection: HTTP2Connection) { self.connection = connection }

    private var isServing: Bool { connection?.isServing ?? false }

    // MARK: What comes, noted while the library reads

    func begin(id: Int32) { self.id = id }

    /// A message's head is complete. In a request's stream it is the request's.
    func noteHead(_ head: HTTP2Head, endsStream: Bool) -> WireViolation? {
        let written: Result<HTTP2BodyFraming, WireViolation>
        if isServing {
            written = inbox.append { head.writeRequest(to: $0, endsStream: endsStream) }
        } else {
            written = inbox.append { head.writeResponse(to: $0, endsStream: endsStream, hasNoBody: isHead) }
        }
        guard case .success(let framing) = written else {
            if case .failure(let violation) = written { return violation }
            return nil
        }
        if !isServing, head.isInterim { return nil }
        if isServing { isHead = head.isHeadRequest }
        gotHead = true
        self.framing = framing
        if endsStream { inputEnded = true }
        return nil
    }

    var expectsTrailers: Bool { gotHead }

    func noteTrailers(_ head: HTTP2Head) -> WireViolation? {
        guard framing == .chunked, !inputEnded else { return nil }
        let violation = inbox.append {
            $0.append("0\r\n")
            return head.writeTrailers(to: $0)
        }
        inputEnded = violation == nil
        return violation
    }

    func noteContent(_ bytes: UnsafeRawBufferPointer) {
        unconsumed += bytes.count
        inbox.append {
            if framing == .chunked { $0.append(chunk: bytes) } else { $0.append(bytes) }
        }
    }

    func noteEnd() {
        guard !inputEnded else { return }
        inputEnded = true
        if framing == .chunked { inbox.append { $0.append("0\r\n\r\n") } }
    }

    func noteClose(_ code: UInt32) {
        closeCode = code
        if code != NGHTTP2_NO_ERROR.rawValue, trouble == .none {
            trouble = code == NGHTTP2_REFUSED_STREAM.rawValue ? .refusedUnseen : .reset
        }
    }

    /// The answer is out and the request is not in: what is left of it is not wanted (RFC 9113 section 8.1).
    var leavesRequest: Bool { isServing && closesAfterwards && !inputEnded }

    /// The connection is gone, or the stream was never let in.
    func noteLoss(_ trouble: LinkTrouble) {
        if closeCode == nil { closeCode = NGHTTP2_INTERNAL_ERROR.rawValue }
        if self.trouble == .none { self.trouble = trouble }
    }

    // MARK: What is done about it afterwards

    /// Delivers what came. True if anything was taken.
    @discardableResult
    func deliver() -> Bool {
        guard !isDelivering else { return false }
        isDelivering = true
        var any = false
        while !inbox.isEmpty, !isPaused, let owner, owner.wantsBytes(from: self) {
            let taken = owner.received(inbox.bytes, from: self)
            inbox.drop(taken)
            any = any || taken > 0
            if taken == 0 { break }
        }
        if inbox.isEmpty || owner == nil { consume() }
        isDelivering = false
        return any
    }

    private func consume() {
        guard unconsumed > 0 else { return }
        connection?.consume(unconsumed, of: id)
        unconsumed = 0
    }

    /// The stream has ended, one way or the other, and what it brought is delivered as far as it is wanted.
    func settleClose() {
        guard closeCode != nil else { return }
        consume()
        let isWhole = inputEnded && hasEnded
        if isServing {
            guard isWhole, !closesAfterwards, owner != nil else { return lose(cleanly: isWhole || hasEnded) }
            recycle()
        } else if isReleased {
            guard isWhole else { return lose(cleanly: true) }
            recycle()
        } else if !inputEnded {
            lose(cleanly: false)
        }
        // A whole answer that is not taken yet: whoever asked gives the stream back when it has it.
    }

    private var hasEnded: Bool { if case .ended = outgoing { true } else { false } }

    private func lose(cleanly: Bool) {
        let last = owner
        owner = nil
        leave()
        last?.closed(self, cleanly: cleanly)
    }

    /// There will be no other message on it.
    func dismiss() { lose(cleanly: true) }

    private func leave() {
        connection?.forget(self)
        connection = nil
    }

    /// Ready for the next message pair.
    private func recycle() {
        connection?.forget(self)
        id = 0
        inbox.clear(keeping: Self.keptCapacity)
        outbox.clear(keeping: Self.keptCapacity)
        (gotHead, inputEnded, isPaused, isHead, isReleased) = (false, false, false, false, false)
        (isDeferred, isOverfull, closesAfterwards, hasFetchedEnd) = (false, false, false, false)
        releasedAt = .max
        closeCode = nil
        trouble = .none
        framing = .plain
        outgoing = .head
        requestParser.reset()
        responseParser.reset()
        trailers.clear()
        connection?.keep(self)
    }

    /// Whoever asked has the whole answer.
    func release() {
        owner = nil
        isReleased = true
        releasedAt = connection?.worker.now ?? .max
        guard id != 0 else { return leave() }
        isPaused = false
        // What is being delivered just now must stay where it is; the end is seen to afterwards.
        if !isDelivering { settleClose() }
    }

    // MARK: Link, what goes out

    var isWritable: Bool { !isOverfull }

    var isSending: Bool { closesAfterwards && closeCode == nil && connection != nil && !hasFetchedEnd }

    var keepsUnread: Int { inputEnded || !isServing ? 0 : HTTP2Settings.servedWindow }

    func write(_ bytes: UnsafeRawBufferPointer) {
        guard closeCode == nil, connection != nil else { return }
        var position = 0
        while position < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
            switch outgoing {
            case .head:
                guard let length = isServing ? sendResponse(rest) : sendRequest(rest) else { return fail() }
                position += length
            case .length(let left):
                let count = min(left, rest.count)
                send(rest, 0..<count)
                outgoing = count == left ? .ended : .length(left - count)
                position += count
            case .chunked:
                guard let count = sendChunks(rest) else { return fail() }
                position += count
            case .untilClose:
                send(rest, 0..<rest.count)
                position = bytes.count
            case .ended: return
            }
        }
        if hasEnded { wake() }
        isOverfull = outbox.count > Self.highWater
    }

    func relay(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, from source: any Link) {
        write(UnsafeRawBufferPointer(rebasing: bytes[range]))
    }

    private func sendResponse(_ bytes: UnsafeRawBufferPointer) -> Int? {
        responseParser.reset()
        guard case .complete(let length) = responseParser.parse(bytes), let connection else { return nil }
        if responseParser.isInterim {
            return connection.submitInterim(responseParser, bytes, on: self) ? length : nil
        }
        take(responseParser.framing(toHead: isHead))
        hasFetchedEnd = hasEnded
        return connection.submitResponse(responseParser, bytes, on: self, endsStream: hasEnded) ? length : nil
    }

    private func sendRequest(_ bytes: UnsafeRawBufferPointer) -> Int? {
        requestParser.reset()
        guard case .complete(let length) = requestParser.parse(bytes), let connection else { return nil }
        isHead = equals(requestParser.method.of(bytes), "HEAD")
        take(requestParser.framing)
        guard let id = connection.submitRequest(requestParser, bytes, on: self, endsStream: hasEnded) else {
            return nil
        }
        self.id = id
        askedAt = connection.worker.now
        return length
    }

    private func take(_ framing: BodyFraming) {
        switch framing {
        case .none: outgoing = .ended
        case .length(let length): outgoing = length == 0 ? .ended : .length(length)
        case .chunked:
            chunks = ChunkedReader(reportsTrailers: true)
            outgoing = .chunked
        case .untilClose: outgoing = .untilClose
        }
    }

    private func sendChunks(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var position = 0
        while true {
            switch chunks.next(bytes, &position) {
            case .more: return position
            case .content(let range): send(bytes, range.range)
            case .trailer(let field): chunks.trailerLine.withUnsafeBytes { trailers.add(field, $0) }
            case .done:
                outgoing = .ended
                return position
            case .refused: return nil
            }
        }
    }

    private func send(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        guard !range.isEmpty else { return }
        outbox.append { $0.append(UnsafeRawBufferPointer(rebasing: bytes[range])) }
        wake()
    }

    private func wake() {
        guard isDeferred else { return }
        isDeferred = false
        connection?.resume(self)
    }

    /// The library fetches content for a DATA frame (`nghttp2_data_source_read_callback`).
    func fetch(_ target: UnsafeMutableRawBufferPointer, _ flags: inout UInt32) -> Int {
        let count = outbox.take(into: target)
        if outbox.isEmpty, hasEnded {
            hasFetchedEnd = true
            flags |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if !trailers.isEmpty, let connection, connection.submitTrailers(trailers, on: self) {
                flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
            }
        } else if count == 0 {
            isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        if isOverfull, outbox.count <= Self.highWater / 2 { connection?.note(self) }
        return count
    }

    /// Room has come.
    func settleRoom() {
        guard isOverfull, outbox.count <= Self.highWater / 2 else { return }
        isOverfull = false
        owner?.writabilityChanged(self)
    }

    func flush() { connection?.sendSoon() }

    func pauseReading() { isPaused = true }

    func resumeReading() {
        isPaused = false
        guard !isDelivering, !inbox.isEmpty else { return }
        if deliver() { owner?.readCompleted(self) }
        connection?.sendSoon()
        settleClose()
    }

    /// The end of what is written: of an answer that ends with its connection, or of one after which no other comes.
    func closeOutput() {
        closesAfterwards = true
        switch outgoing {
        case .untilClose:
            outgoing = .ended
            wake()
        case .ended: break
        case .head, .length, .chunked: return fail()
        }
        flush()
    }

    func close() { closeOutput() }

    func abort(reset: Bool) {
        guard let connection else { return }
        owner = nil
        if id != 0, closeCode == nil {
            // What was written before it broke off is worth something.
            if reset { connection.sendNow() }
            if isServing {
                connection.reset(self, reset || !hasFetchedEnd ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_NO_ERROR)
            } else {
                // Where next to nothing was heard since, the peer may be gone: nobody else shall wait for it.
                let (now, heard) = (connection.worker.now, connection.lastReceived)
                if now > askedAt, (now - heard) * 2 >= now - askedAt { connection.avoid() }
                connection.reset(self, NGHTTP2_CANCEL)
            }
        }
        consume()
        leave()
    }

    /// Nothing that could be understood was written: the message breaks off.
    private func fail() {
        let last = owner
        abort(reset: true)
        last?.closed(self, cleanly: false)
    }
}
