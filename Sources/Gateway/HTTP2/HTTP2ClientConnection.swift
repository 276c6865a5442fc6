import CNghttp2

/// A connection to a service's copy, which many requests share.
final class HTTP2ClientConnection: HTTP2Connection, @unchecked Sendable {
    let endpoint: Endpoint
    /// It waits for its socket, and they for it.
    private(set) var waiting: [(user: any UpstreamUser, ticket: Int)] = []
    private(set) var isConnected = false
    /// When its last stream ended, by the worker's clock.
    private(set) var idleSince: Int64
    private var hasServed = false
    private let onClose: (HTTP2ClientConnection) -> Void

    init(
        worker: Worker, link: any Link, endpoint: Endpoint, onClose: @escaping (HTTP2ClientConnection) -> Void
    ) {
        self.endpoint = endpoint
        self.onClose = onClose
        idleSince = worker.now
        super.init(worker: worker, link: link, isServing: false, settings: .asking)
        link.owner = self
    }

    /// Whether one more request may be put on it.
    var hasRoom: Bool {
        !isClosed && !isLeaving
            && streams.count + waiting.count < min(peerMaxStreams, HTTP2Settings.askedStreams)
    }

    var isUnused: Bool { streams.isEmpty && waiting.isEmpty }

    func ask(_ user: any UpstreamUser, ticket: Int) {
        guard isConnected else { return waiting.append((user, ticket)) }
        let stream = takeIdle() ?? HTTP2Stream(self)
        user.connected(stream, to: endpoint, ticket: ticket, isReused: hasServed)
    }

    func socketOpened() {
        isConnected = true
        sendSoon()
        let users = waiting
        waiting = []
        for (user, ticket) in users { ask(user, ticket: ticket) }
        hasServed = true
    }

    func socketFailed(isExhausted: Bool) {
        let users = waiting
        waiting = []
        link.owner = nil
        closed(link, cleanly: false)
        for (user, ticket) in users { user.connectFailed(ticket: ticket, isExhausted: isExhausted) }
    }

    /// Gives up what was answered before `time` and has not ended since: its window does not open, or its end does not come.
    func sweep(before time: Int64) {
        for stream in Array(streams.values) where stream.isReleased && stream.releasedAt <= time {
            stream.abort(reset: false)
        }
    }

    override func headEnded(_ id: Int32, endsStream: Bool) {
        guard let stream = streams[id] else { return }
        let violation =
            stream.expectsTrailers ? stream.noteTrailers(head) : stream.noteHead(head, endsStream: endsStream)
        if violation != nil {
            reset(stream, NGHTTP2_PROTOCOL_ERROR)
            stream.noteLoss(.none)
        } else if endsStream {
            stream.noteEnd()
        }
        note(stream)
    }

    override func streamsChanged() {
        if streams.isEmpty { idleSince = worker.now }
        if isClosed { onClose(self) }
        if isLeaving, streams.isEmpty { sendSoon() }
    }
}
