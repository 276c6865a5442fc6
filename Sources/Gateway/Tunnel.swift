import EnvironmentGraph
import HTTPWire

/// Bytes both ways, with each side's end of stream passed on by itself: a client's connection on a TCP listener, to the
/// copy that the listener alone decides, or one whose request was answered with another protocol.
///
/// `@unchecked Sendable`: it lives on its worker's loop.
final class Tunnel: @unchecked Sendable, LinkOwner, UpstreamUser, Session {
    private let worker: Worker
    private let downstream: any Link
    private var upstream: (any Link)?
    private var isConnecting = false
    private var isClosed = false
    private var clientEnded = false
    private var providerEnded = false
    /// What it was opened for, once that is decided.
    private var key: CountKey?
    private var table: CompiledTable
    /// Of a listener's connection.
    private var connector: (any Connector)?
    private var identity: ListenerIdentity?
    private var port = 0
    /// The copy that it waits for.
    private(set) var wanted: WantedCopy?
    private var wakeDeadline: Int64?
    private let onEnd: () -> Void
    var position = -1
    var deadline: Int64

    /// - Parameter onEnd: called once.
    init(worker: Worker, downstream: any Link, onEnd: @escaping () -> Void = {}) {
        self.onEnd = onEnd
        self.worker = worker
        self.downstream = downstream
        table = worker.table
        deadline = worker.now + worker.timeouts.connect
        worker.add(self)
    }

    /// Decides and connects; a client for which there is no copy is closed at once, and one whose copy starts or can be woken
    /// waits for it.
    func open(listener: CompiledListener?, connector: any Connector) {
        self.connector = connector
        identity = listener?.identity
        port = listener?.port ?? 0
        decide(listener)
    }

    private func decide(_ listener: CompiledListener?) {
        leaveWaiting()
        let table = worker.table
        guard let listener, let connector, listener.identity == identity else { return abort() }
        var key = CountKey(
            listener: Int32(listener.number), environment: Int32(listener.environment), service: -1, context: -1,
            isProvider: false, fault: .unknownService)
        if !table.environments[listener.environment].context.isEmpty { key.context = Int32(listener.environment) }
        let resolution = listener.serviceBytes.withUnsafeBytes { table.resolve($0, in: listener.environment) }
        guard case .found(let copy) = resolution else {
            worker.count(key, by: table)
            return abort()
        }
        key.service = Int32(copy.number)
        let home = table.environments[copy.environment]
        guard copy.ready, home.state != .failed,
            let endpoint = copy.endpoint(portName: listener.portName, wantsHTTP: false)
        else {
            let mayWait = home.mayBecomeReady(copy) && !worker.isDraining && !listener.callerStarts(by: table)
            key.fault = mayWait ? .starting : .noEndpoint
            if mayWait, worker.enterWaiting(bytes: 0) {
                wanted = WantedCopy(environment: home.id, service: copy.name)
                (self.key, self.table) = (key, table)
                if wakeDeadline == nil { wakeDeadline = worker.now + worker.timeouts.wake }
                deadline = wakeDeadline ?? deadline
                return
            }
            worker.count(key, by: table)
            return abort()
        }
        key.isProvider = true
        key.fault = nil
        worker.count(key, by: table)
        self.key = key
        self.table = table
        isConnecting = true
        deadline = worker.now + worker.timeouts.connect
        connector.connect(to: endpoint, allowsReuse: false, ticket: 0, for: self)
    }

    /// Everything from here on is for the gateway that accepts at this address now.
    func pass(to listener: CompiledListener, connector: any Connector) {
        isConnecting = true
        let successor = Endpoint(number: -1, host: listener.host, port: listener.port)
        connector.connect(to: successor, allowsReuse: false, ticket: 0, for: self)
    }

    private func leaveWaiting() {
        guard wanted != nil else { return }
        wanted = nil
        worker.leaveWaiting(bytes: 0)
    }

    /// Goes on with the connection of a request that switched protocols.
    func adopt(_ link: any Link, key: CountKey, table: CompiledTable, clientEnded: Bool) {
        (self.key, self.table, self.clientEnded) = (key, table, clientEnded)
        downstream.owner = self
        upstream = link
        link.owner = self
        deadline = .max
        downstream.flush()
        downstream.resumeReading()
        link.resumeReading()
        if clientEnded { link.closeOutput() }
    }

    func connected(_ link: any Link, to endpoint: Endpoint, ticket: Int, isReused: Bool) {
        isConnecting = false
        guard !isClosed else { return link.abort(reset: false) }
        upstream = link
        link.owner = self
        deadline = .max
        downstream.resumeReading()
        if clientEnded { link.closeOutput() }
    }

    func connectFailed(ticket: Int, isExhausted: Bool) {
        isConnecting = false
        abort()
    }

    func wantsBytes(from link: any Link) -> Bool { link !== downstream || upstream != nil }

    func received(_ bytes: UnsafeRawBufferPointer, from link: any Link) -> Int {
        guard let upstream else { return 0 }
        let target: any Link = link === downstream ? upstream : downstream
        target.relay(bytes, 0..<bytes.count, from: link)
        if !target.isWritable { link.pauseReading() }
        return bytes.count
    }

    func readCompleted(_ link: any Link) { (link === downstream ? upstream : downstream)?.flush() }

    func inputClosed(_ link: any Link) {
        if link === downstream {
            clientEnded = true
            // While connecting, the end is passed on once there is somebody to pass it to.
            guard let upstream else { return isConnecting ? () : abort() }
            upstream.closeOutput()
        } else {
            providerEnded = true
            downstream.closeOutput()
        }
        if clientEnded, providerEnded { finishWriting() }
    }

    func closed(_ link: any Link, cleanly: Bool) {
        let other = link === upstream ? downstream : upstream
        if link === upstream { upstream = nil }
        // A side that broke must not look to the other as if it had ended.
        guard cleanly else { return end { $0.abort(reset: true) } }
        guard let other, link !== downstream else { return end { $0.abort(reset: false) } }
        other.close()
        deadline = worker.now + worker.timeouts.stream
    }

    /// Both sides have ended: what was written is still sent, for a limited time.
    private func finishWriting() {
        deadline = worker.now + worker.timeouts.stream
        downstream.close()
        upstream?.close()
    }

    func writabilityChanged(_ link: any Link) {
        guard link.isWritable else { return }
        (link === downstream ? upstream : downstream)?.resumeReading()
    }

    var openWork: OpenWork? { key.map { OpenWork(key: $0, table: table, isTunnel: true) } }

    func deadlinePassed() {
        if wanted != nil, let key { worker.count(key, by: table) }
        abort()
    }

    /// An open tunnel stays where it began.
    func tableChanged() {
        guard wanted != nil else { return }
        if worker.isDraining { return abort() }
        decide(worker.table.listeners[port])
    }

    /// Who goes away while he waits does not want it any more.
    func wantsEnd(of link: any Link) -> Bool { wanted != nil }

    func abort() { end { $0.abort(reset: false) } }

    private func end(_ close: (any Link) -> Void) {
        guard !isClosed else { return }
        isClosed = true
        leaveWaiting()
        deadline = .max
        worker.remove(self)
        onEnd()
        if let key { worker.touch(key, by: table) }
        close(downstream)
        if let upstream { close(upstream) }
    }
}
