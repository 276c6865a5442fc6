import CNghttp2
import HTTPWire

/// A client's HTTP/2 connection: each of its streams is an ``Exchange`` of its own, decided by itself.
final class HTTP2ServerConnection: HTTP2Connection, Session, @unchecked Sendable {
    /// Between the word that no new streams are welcome and the end of those that are open.
    private static let leavingMilliseconds: Int64 = 1000

    var position = -1
    var deadline: Int64
    private let connector: any Connector
    private let listenerPort: Int?
    private let clientAddress: [UInt8]
    private let isSecure: Bool
    /// What the port stood for when this connection was made.
    private let identity: ListenerIdentity?
    private var headDeadline: Int64

    /// Takes over `link`, on which the client has said that it speaks HTTP/2, or has agreed on it.
    init(
        worker: Worker, connector: any Connector, link: any Link, listenerPort: Int?, identity: ListenerIdentity?,
        clientAddress: [UInt8], isSecure: Bool
    ) {
        self.isSecure = isSecure
        self.connector = connector
        self.listenerPort = listenerPort
        self.clientAddress = clientAddress
        self.identity = identity
        headDeadline = worker.now + worker.timeouts.head
        deadline = headDeadline
        super.init(worker: worker, link: link, isServing: true, settings: .serving(at: worker.maxRequests))
        link.owner = self
        worker.add(self)
        sendSoon()
    }

    override func headEnded(_ id: Int32, endsStream: Bool) {
        if let stream = streams[id] {
            if stream.noteTrailers(head) != nil { reset(stream, NGHTTP2_PROTOCOL_ERROR) }
            return note(stream)
        }
        guard !hasSaidGoodbye else { return refuseUnseen(id) }
        let stream = takeIdle() ?? open()
        stream.begin(id: id)
        insert(stream, id: id)
        if let violation = stream.noteHead(head, endsStream: endsStream) {
            (stream.owner as? Exchange)?.refuse(violation)
        }
        note(stream)
        deadline = .max
    }

    private func open() -> HTTP2Stream {
        let stream = HTTP2Stream(self)
        stream.owner = Exchange(
            worker: worker, connector: connector, downstream: stream, listenerPort: listenerPort,
            clientAddress: clientAddress, isSecure: isSecure, identity: identity)
        return stream
    }

    override func streamsChanged() {
        guard !isClosed else {
            deadline = .max
            return worker.remove(self)
        }
        guard streams.isEmpty else { return }
        deadline = worker.now + (isLeaving ? Self.leavingMilliseconds : worker.timeouts.keepAlive)
        if isLeaving { sendSoon() }
    }

    override func received(_ bytes: UnsafeRawBufferPointer, from link: any Link) -> Int {
        let wasInHead = isInHead
        let taken = super.received(bytes, from: link)
        if isInHead {
            if !wasInHead { headDeadline = worker.now + worker.timeouts.head }
            deadline = min(deadline, headDeadline)
        } else if wasInHead || deadline == headDeadline {
            deadline = streams.isEmpty ? worker.now + worker.timeouts.keepAlive : .max
        }
        return taken
    }

    // MARK: Session

    var openWork: OpenWork? { nil }

    func deadlinePassed() {
        guard !isLeaving, !isInHead else { return abort() }
        leave()
        deadline = worker.now + Self.leavingMilliseconds
    }

    func tableChanged() {
        guard !isLeaving else { return }
        let isOrphaned = listenerPort.map { worker.table.listeners[$0]?.identity != identity } ?? false
        guard worker.endsConnections || isOrphaned else { return }
        leave()
        if streams.isEmpty { deadline = worker.now + Self.leavingMilliseconds }
    }

    func abort() { cut() }
}
