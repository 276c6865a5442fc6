import HTTPWire

/// One client's connection: parses requests, decides each by itself, relays both ways, answers in order.
///
/// One request is worked on at a time; what a client sends ahead (pipelining) waits, unread, until its turn. Phases:
/// `head` → `connecting` → `response` → `body` → `head`, or from any of them → `lingering` → `closed`.
/// Nothing here knows sockets: bytes come and go through ``Link``.
///
/// `@unchecked Sendable`: it lives on its worker's loop.
final class Exchange: @unchecked Sendable {
    enum Phase {
        /// Waits for a request's head.
        case head
        /// The copy is not ready; waits for a table by which it is. The request is still in the link, unread.
        case waiting
        /// The decision is made; waits for a connection to the copy.
        case connecting
        /// Sends the request; waits for the response's head.
        case response
        /// Relays the response's body.
        case body
        /// Everything is said; waits for the client to close, so that it can read the answer first.
        case lingering
        case closed
    }

    static let lingerMilliseconds: Int64 = 2000
    /// A client that reads slowly gets what was written for it, up to here.
    private var lingersUntil: Int64 = 0
    /// A connection that had served before and breaks so soon was closed by its service before it saw the request.
    static let staleWithin = Duration.milliseconds(5)

    let worker: Worker
    let connector: any Connector
    let downstream: any Link
    /// Port of the listener; nil on the shared edge port.
    let listenerPort: Int?
    let clientAddress: [UInt8]
    /// TLS ended here.
    let isSecure: Bool
    var position = -1
    var deadline: Int64

    var phase = Phase.head
    var upstream: (any Link)?
    var requestParser = RequestHeadParser()
    var responseParser = ResponseHeadParser()
    /// The request's head as it is sent to the copy; kept until the answer, for the one repetition that is allowed.
    let requestHead = WireBuffer()
    var requestBody = BodyReader()
    var responseBody = BodyReader()

    /// What was decided for the current request.
    var table: CompiledTable
    var listener: CompiledListener?
    var listenerTable: CompiledTable?
    /// What the port stood for when this connection was made.
    private(set) var boundIdentity: ListenerIdentity?
    var provider: CompiledService?
    var endpoint: Endpoint?
    var key = CountKey(listener: -1, environment: -1, service: -1, context: -1, isProvider: false, fault: nil)
    var ignoredContext = false
    /// The current request's trace, and its place in ``Serving`` of the copy that answers it; -1 for none.
    var trace: TraceID?
    var servingPlace = -1
    /// A call of gRPC: the copy must speak HTTP/2, and what the gateway says itself it says in gRPC's way.
    var isGRPC = false
    /// Nothing has come on this connection before.
    var isFirst = true
    /// What is noted of the current request.
    var span = HopSpan()
    /// The trace whose hops the client wants to be told, and that there are too many such.
    var explained: TraceID?
    var explainsNot = false
    /// The answer's head came with the bytes that are being delivered.
    var headCameNow = false
    /// The request offers to go on in another protocol, and its copy is asked whether it wants to.
    var upgrades = false

    /// Whether a head has begun to come.
    var headStarted = false
    var requestDone = true
    var requestHadBody = false
    var isHeadRequest = false
    /// RFC 9110 section 9.2.1: asking twice changes nothing.
    var isSafe = false
    /// The request has a body although its method gives it no meaning (RFC 9110 section 9.3): a service that overlooks it
    /// would read it as the next request.
    var hasOddBody = false
    /// What has come of interim answers to the current request.
    var interimBytes = 0
    /// When the request was given to a connection that had served before.
    var sentAt = ContinuousClock.Instant.now
    var clientKeepsAlive = true
    var clientIsHTTP10 = false
    var inputEnded = false
    var isReused = false
    var attempts = 0
    var sawResponseByte = false
    /// HTTP/1.0 clients get chunked answers without their chunks.
    var unchunking: ChunkedReader?
    /// Set while the client's bytes are being delivered: flushing is then done afterwards.
    var isDelivering = false
    /// What the current request waits for, since when it may until when, and what it takes meanwhile.
    private(set) var wanted: WantedCopy?
    var wakeDeadline: Int64?
    private(set) var waitingSince: UInt64 = 0
    private var waitingBytes = 0
    /// Counts the connections that were asked for.
    var ticket = 0

    init(
        worker: Worker, connector: any Connector, downstream: any Link, listenerPort: Int?, clientAddress: [UInt8],
        isSecure: Bool = false, identity: ListenerIdentity? = nil
    ) {
        self.worker = worker
        self.connector = connector
        self.downstream = downstream
        self.listenerPort = listenerPort
        self.clientAddress = clientAddress
        self.isSecure = isSecure
        table = worker.table
        deadline = worker.now + worker.timeouts.keepAlive
        boundIdentity = identity ?? listenerPort.flatMap { worker.table.listeners[$0]?.identity }
        worker.add(self)
    }

    var isInFlight: Bool { phase == .connecting || phase == .response || phase == .body }

    /// The listener in the current table, looked up again only when the table has changed; nil where the port is nobody's
    /// any more, or somebody else's: what was connected to one environment is never answered by another.
    func refreshListener() {
        guard listenerTable !== worker.table else { return }
        listenerTable = worker.table
        listener = boundListener
    }

    private var boundListener: CompiledListener? {
        guard let listenerPort, let found = worker.table.listeners[listenerPort] else { return nil }
        if boundIdentity == nil { boundIdentity = found.identity }
        return found.identity == boundIdentity ? found : nil
    }

    /// Counts the current request, once.
    func settle(_ fault: GatewayFault?, reachedProvider: Bool) {
        leaveServing()
        key.fault = fault
        key.isProvider = reachedProvider
        worker.count(key, by: table)
        record()
    }

    func leaveServing() {
        guard servingPlace >= 0 else { return }
        provider?.serving.leave(servingPlace)
        servingPlace = -1
    }

    /// The current request waits until its copy is ready; it was not taken out of the link.
    ///
    /// - Returns: false where too much waits already.
    func wait(for copy: CompiledService, bytes: Int) -> Bool {
        let bytes = bytes + downstream.keepsUnread
        guard worker.enterWaiting(bytes: bytes) else { return false }
        waitingBytes = bytes
        wanted = WantedCopy(environment: table.environments[copy.environment].id, service: copy.name)
        stopExplaining()
        if wakeDeadline == nil { waitingSince = span.start }
        let until = wakeDeadline ?? worker.now + worker.timeouts.wake
        wakeDeadline = until
        deadline = until
        phase = .waiting
        return true
    }

    private func leaveWaiting() {
        guard wanted != nil else { return }
        wanted = nil
        worker.leaveWaiting(bytes: waitingBytes)
    }

    /// Decides anew, with what is still in the link.
    private func decideAgain() {
        leaveWaiting()
        phase = .head
        requestParser.reset()
        downstream.resumeReading()
    }

    func leaveFlight() {
        if isInFlight { worker.requestsInFlight -= 1 }
    }

    /// Ready for the next request on this connection.
    func awaitNextRequest() {
        phase = .head
        headStarted = false
        isFirst = false
        provider = nil
        requestParser.reset()
        deadline = worker.now + worker.timeouts.keepAlive
        if inputEnded || worker.isDraining { return linger() }
        downstream.resumeReading()
    }

    /// Sends what is left and the end of the stream, and gives the client time to read it.
    func linger() {
        guard !inputEnded else { return closeAfterWrites() }
        beginLingering()
        downstream.closeOutput()
        downstream.resumeReading()
    }

    /// Nobody waits for anything any more; what was answered before may still be on its way.
    private func closeAfterWrites() {
        beginLingering()
        downstream.close()
    }

    private func beginLingering() {
        phase = .lingering
        deadline = worker.now + Self.lingerMilliseconds
        lingersUntil = worker.now + worker.timeouts.stream
    }

    /// Answers the current request in the gateway's own name.
    func answer(_ fault: GatewayFault, detail: String? = nil) {
        dropUpstream()
        leaveWaiting()
        leaveFlight()
        span.status = UInt16(fault.status.code)
        span.fault = fault.rawValue + 1
        let route = routeLine
        settle(fault, reachedProvider: false)
        let keeps = clientKeepsAlive && requestDone && !worker.endsConnections && !clientIsHTTP10
        let response =
            isGRPC
            ? fault.grpcResponse(detail: detail, closes: !keeps)
            : fault.response(detail: detail, closes: !keeps, isHead: isHeadRequest, route: route)
        response.withUnsafeBytes { downstream.write($0) }
        downstream.flush()
        if keeps { awaitNextRequest() } else { linger() }
    }

    func dropUpstream() {
        guard let link = upstream else { return }
        upstream = nil
        link.owner = nil
        link.abort(reset: false)
    }
}

extension Exchange: LinkOwner {
    func wantsBytes(from link: any Link) -> Bool {
        guard link === downstream else { return link === upstream }
        switch phase {
        // A client that sends requests and reads no answers waits until it has read.
        case .head: return headStarted || downstream.isWritable
        case .lingering, .closed: return true
        case .connecting, .waiting: return false
        case .response, .body: return !requestDone
        }
    }

    /// Who goes away while nothing has been done for him yet does not want it any more.
    func wantsEnd(of link: any Link) -> Bool { link === downstream && phase == .waiting }

    func received(_ bytes: UnsafeRawBufferPointer, from link: any Link) -> Int {
        guard link === downstream else { return receivedResponse(bytes, from: link) }
        isDelivering = true
        defer { isDelivering = false }
        return receivedRequest(bytes)
    }

    func readCompleted(_ link: any Link) {
        upstream?.flush()
        downstream.flush()
    }

    func inputClosed(_ link: any Link) {
        guard link === downstream else { return }
        inputEnded = true
        switch phase {
        // A request that is complete is still answered.
        case .connecting where requestDone, .response where requestDone, .body where requestDone: break
        case .head, .lingering: closeAfterWrites()
        default: abort()
        }
    }

    func closed(_ link: any Link, cleanly: Bool) {
        if link === downstream {
            finishAbort()
        } else if link === upstream {
            upstream = nil
            upstreamClosed(cleanly: cleanly, trouble: link.trouble)
        }
    }

    func writabilityChanged(_ link: any Link) {
        guard link.isWritable else { return }
        if link === downstream { upstream?.resumeReading() }
        downstream.resumeReading()
    }
}

extension Exchange: Session {
    var isClient: Bool { !(downstream is HTTP2Stream) }

    var openWork: OpenWork? {
        isInFlight || phase == .waiting ? OpenWork(key: key, table: table, isTunnel: false) : nil
    }

    func deadlinePassed() {
        switch phase {
        case .head where headStarted:
            requestDone = false
            answer(.requestTimeout)
        case .waiting: giveUpWaiting()
        case .connecting: answer(.connectFailed, detail: "No connection to the service's copy in time.")
        case .response: answer(.responseTimeout)
        case .lingering where downstream.isSending && worker.now < lingersUntil:
            deadline = worker.now + Self.lingerMilliseconds
        case .head, .body, .lingering: abort()
        case .closed: break
        }
    }

    func tableChanged() {
        if phase == .waiting { return worker.isDraining ? giveUpWaiting() : decideAgain() }
        guard phase == .head, !headStarted else { return }
        if worker.isDraining || (listenerPort != nil && boundListener == nil) { closeAfterWrites() }
    }

    /// What is still in the link is the request: nobody can go on behind it.
    private func giveUpWaiting() {
        clientKeepsAlive = false
        answer(.starting)
    }

    /// Ends everything now. An answer that is broken off must not look as if it had ended.
    func abort() {
        downstream.abort(reset: phase == .body)
        finishAbort()
    }

    private func finishAbort() {
        guard phase != .closed else { return }
        leaveWaiting()
        if isInFlight {
            span.flags.insert(.broken)
            settle(nil, reachedProvider: phase != .connecting)
        }
        leaveFlight()
        phase = .closed
        deadline = .max
        dropUpstream()
        worker.remove(self)
    }
}
