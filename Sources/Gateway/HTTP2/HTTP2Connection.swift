import CNghttp2
import HTTPWire

/// One connection's HTTP/2 framing, by libnghttp2: what its two sides have in common.
///
/// The library calls back while it reads and while it writes, and must not be called in turn then. So callbacks only take
/// notes on streams; what follows from them (delivering, closing) is done when the library has returned, and sending waits
/// until the event loop has seen to everything that came in one go, so that the frames of many streams share a write.
///
/// `@unchecked Sendable`: it is used on its link's event loop only.
class HTTP2Connection: LinkOwner, @unchecked Sendable {
    /// Sent in one go before the socket is asked whether it can take more, in bytes.
    private static let burst = 128 << 10

    let worker: Worker
    let link: any Link
    let isServing: Bool
    private(set) var streams: [Int32: HTTP2Stream] = [:]
    /// Between messages, for the next ones.
    var idle: [HTTP2Stream] = []
    let head = HTTP2Head()
    /// A header block has begun and not ended.
    private(set) var isInHead = false
    private(set) var isClosed = false
    /// The peer has sent its settings: it speaks HTTP/2.
    private(set) var hasSettings = false
    /// The peer wants no new streams, or we do not.
    private(set) var isLeaving = false
    /// The peer was told so: what it begins now it may begin elsewhere again.
    private(set) var hasSaidGoodbye = false
    /// By the worker's clock.
    private(set) var lastReceived: Int64
    private(set) var gauge = FrameGauge()
    private var session: OpaquePointer?
    private var noted: [HTTP2Stream] = []
    /// Reset, and the library has not said yet that it will not ask them for content any more.
    private var ending: [Int32: HTTP2Stream] = [:]
    private var pairs: [nghttp2_nv] = []
    private var fields = HeaderList()
    private var isReading = false
    private var isSending = false
    private var isSendingSoon = false

    init(worker: Worker, link: any Link, isServing: Bool, settings: HTTP2Settings) {
        self.worker = worker
        self.link = link
        self.isServing = isServing
        lastReceived = worker.now
        let me = Unmanaged.passUnretained(self).toOpaque()
        if isServing {
            nghttp2_session_server_new2(&session, HTTP2Callbacks.shared, me, HTTP2Callbacks.options)
        } else {
            nghttp2_session_client_new2(&session, HTTP2Callbacks.shared, me, HTTP2Callbacks.options)
        }
        settings.submit(to: session)
    }

    deinit { nghttp2_session_del(session) }

    // MARK: For the side

    /// Of a request or an answer; `head` has it. A violation ends the stream.
    func headEnded(_ id: Int32, endsStream: Bool) {}
    func streamsChanged() {}

    func insert(_ stream: HTTP2Stream, id: Int32) { streams[id] = stream }

    // MARK: LinkOwner

    func wantsBytes(from link: any Link) -> Bool { true }

    func received(_ bytes: UnsafeRawBufferPointer, from link: any Link) -> Int {
        guard !isClosed else { return bytes.count }
        isReading = true
        lastReceived = worker.now
        let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let taken = nghttp2_session_mem_recv(session, start, bytes.count)
        isReading = false
        settleNoted()
        if taken < 0 { cut() } else { sendSoon() }
        return bytes.count
    }

    func readCompleted(_ link: any Link) {}

    func inputClosed(_ link: any Link) { link.close() }

    func closed(_ link: any Link, cleanly: Bool) {
        guard !isClosed else { return }
        isClosed = true
        let lost: LinkTrouble = hasSettings || isServing ? .none : .notHTTP2
        let all = Array(streams.values)
        for stream in all { stream.noteLoss(lost) }
        for stream in all { settle(stream) }
        let unused = idle
        for stream in unused { stream.dismiss() }
        streamsChanged()
    }

    func writabilityChanged(_ link: any Link) { if link.isWritable { sendSoon() } }

    // MARK: Streams

    /// Something happened to the stream that must be seen to.
    func note(_ stream: HTTP2Stream) {
        guard !stream.isNoted else { return }
        stream.isNoted = true
        noted.append(stream)
    }

    private func settleNoted() {
        while !noted.isEmpty {
            let batch = noted
            noted.removeAll(keepingCapacity: true)
            for stream in batch {
                stream.isNoted = false
                settle(stream)
            }
        }
    }

    private func settle(_ stream: HTTP2Stream) {
        if stream.deliver() { stream.owner?.readCompleted(stream) }
        stream.settleRoom()
        stream.settleClose()
    }

    func forget(_ stream: HTTP2Stream) {
        if stream.isIdle {
            stream.isIdle = false
            idle.removeAll { $0 === stream }
        } else if streams[stream.id] === stream {
            streams[stream.id] = nil
            streamsChanged()
        }
    }

    /// The stream can serve the next message.
    func keep(_ stream: HTTP2Stream) {
        guard !isClosed, idle.count < HTTP2Settings.keptStreams else { return stream.dismiss() }
        stream.isIdle = true
        idle.append(stream)
    }

    func takeIdle() -> HTTP2Stream? {
        let stream = idle.popLast()
        stream?.isIdle = false
        return stream
    }

    func consume(_ count: Int, of id: Int32) { nghttp2_session_consume(session, id, count) }

    func resume(_ stream: HTTP2Stream) { nghttp2_session_resume_data(session, stream.id) }

    func reset(_ stream: HTTP2Stream, _ code: nghttp2_error_code) {
        ending[stream.id] = stream
        nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, code.rawValue)
        sendSoon()
    }

    // MARK: Sending

    func submitInterim(
        _ response: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer, on stream: HTTP2Stream
    )
        -> Bool
    {
        fields.write(response, bytes, dropsEmptyLength: false)
        return fields.withPairs(&pairs) {
            nghttp2_submit_headers(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, nil, $0, $1, nil) == 0
        }
    }

    func submitResponse(
        _ response: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer, on stream: HTTP2Stream,
        endsStream: Bool
    ) -> Bool {
        fields.write(response, bytes, dropsEmptyLength: endsStream)
        return withUnsafePointer(to: HTTP2Callbacks.source(stream)) { source in
            fields.withPairs(&pairs) {
                nghttp2_submit_response(session, stream.id, $0, $1, endsStream ? nil : source) == 0
            }
        }
    }

    /// - Returns: the new stream's number.
    func submitRequest(
        _ request: borrowing RequestHeadParser, _ bytes: UnsafeRawBufferPointer, on stream: HTTP2Stream,
        endsStream: Bool
    ) -> Int32? {
        fields.write(request, bytes)
        let id = withUnsafePointer(to: HTTP2Callbacks.source(stream)) { source in
            fields.withPairs(&pairs) { nghttp2_submit_request(session, nil, $0, $1, endsStream ? nil : source, nil) }
        }
        guard id > 0 else {
            // The numbers have run out: another connection begins anew.
            avoid()
            return nil
        }
        insert(stream, id: id)
        return id
    }

    func submitTrailers(_ trailers: HeaderList, on stream: HTTP2Stream) -> Bool {
        trailers.withPairs(&pairs) { nghttp2_submit_trailer(session, stream.id, $0, $1) == 0 }
    }

    /// Says that no new streams are welcome; those that are open go on.
    func leave() {
        guard !hasSaidGoodbye, !isClosed else { return }
        isLeaving = true
        hasSaidGoodbye = true
        let last = nghttp2_session_get_last_proc_stream_id(session)
        nghttp2_submit_goaway(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, NGHTTP2_NO_ERROR.rawValue, nil, 0)
        sendSoon()
    }

    /// No new streams, and nothing is said.
    func avoid() { isLeaving = true }

    /// A stream that nobody has heard of.
    func refuseUnseen(_ id: Int32) {
        nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, NGHTTP2_REFUSED_STREAM.rawValue)
        sendSoon()
    }

    /// Ends the connection for what the peer does.
    func terminate(_ code: nghttp2_error_code) {
        isLeaving = true
        nghttp2_session_terminate_session(session, code.rawValue)
        sendSoon()
    }

    var peerMaxStreams: Int {
        guard hasSettings else { return HTTP2Settings.assumedStreams }
        return Int(nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
    }

    func sendSoon() {
        guard !isSendingSoon, !isClosed else { return }
        isSendingSoon = true
        worker.later { [self] in
            isSendingSoon = false
            send()
        }
    }

    /// Sends what there is, unless the library is at work just now.
    func sendNow() {
        guard !isClosed, !isReading, !isSending else { return }
        pump()
    }

    private func send() {
        guard !isClosed, !isReading, !isSending else { return }
        pump()
        settleNoted()
        guard !isClosed else { return }
        if nghttp2_session_want_read(session) == 0, nghttp2_session_want_write(session) == 0 {
            link.close()
        } else if nghttp2_session_want_write(session) != 0, link.isWritable {
            // What was noted has made more to send.
            sendSoon()
        }
    }

    private func pump() {
        isSending = true
        defer { isSending = false }
        var sent = 0
        // A write may find the socket broken, and then everything here is over.
        while !isClosed, link.isWritable {
            var bytes: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(session, &bytes)
            if count < 0 { return cut() }
            guard count > 0 else { break }
            link.write(UnsafeRawBufferPointer(start: bytes, count: count))
            sent += count
            if sent >= Self.burst {
                sent = 0
                link.flush()
            }
        }
        link.flush()
    }

    /// Ends everything now, without a word to the peer.
    func cut() {
        guard !isClosed else { return }
        let link = link
        link.owner = nil
        closed(link, cleanly: false)
        link.abort(reset: false)
    }
}

// MARK: What the library calls

extension HTTP2Connection {
    /// Of every frame, also of one that the library then refuses.
    func beganFrame(_ header: nghttp2_frame_hd) {
        if UInt32(header.type) != NGHTTP2_CONTINUATION.rawValue { isInHead = false }
    }

    func beganHead() {
        isInHead = true
        head.reset()
    }

    func add(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) { head.add(name, value) }

    func received(frame: UnsafePointer<nghttp2_frame>) {
        let header = frame.pointee.hd
        let endsStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
            isInHead = false
            gauge.useful()
            headEnded(header.stream_id, endsStream: endsStream)
        case NGHTTP2_DATA.rawValue:
            if header.length > 0 { gauge.useful() } else { gauge.noise() }
            guard endsStream, let stream = streams[header.stream_id] else { break }
            stream.noteEnd()
            note(stream)
        case NGHTTP2_SETTINGS.rawValue:
            hasSettings = true
            gauge.noise()
        case NGHTTP2_GOAWAY.rawValue:
            isLeaving = true
            streamsChanged()
        default: gauge.noise()
        }
        if gauge.isOver(now: worker.now) { terminate(NGHTTP2_ENHANCE_YOUR_CALM) }
    }

    func received(content: UnsafeRawBufferPointer, on id: Int32) {
        guard let stream = streams[id] else { return consume(content.count, of: id) }
        stream.noteContent(content)
        note(stream)
    }

    func closed(stream id: Int32, _ code: UInt32) {
        ending[id] = nil
        guard let stream = streams[id] else { return }
        // Whoever begins requests and breaks them makes work and takes nothing.
        if isServing, code != NGHTTP2_NO_ERROR.rawValue { gauge.noise(10) }
        stream.noteClose(code)
        note(stream)
    }

    func sent(frame: UnsafePointer<nghttp2_frame>) {
        let header = frame.pointee.hd
        guard UInt32(header.type) <= NGHTTP2_HEADERS.rawValue else { return }
        gauge.useful()
        guard header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0, let stream = streams[header.stream_id],
            stream.leavesRequest
        else { return }
        reset(stream, NGHTTP2_NO_ERROR)
    }
}
