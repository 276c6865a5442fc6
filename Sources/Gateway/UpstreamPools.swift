import Glibc
import NIOCore
import NIOPosix

/// One event loop's connections to copies: kept alive, used last-in first-out, closed when unused for long.
///
/// `@unchecked Sendable`: it is used on its event loop only.
final class UpstreamPools: Connector, LinkOwner, @unchecked Sendable {
    private struct Idle {
        let link: LinkHandler
        let since: Int64
    }

    private let loop: any EventLoop
    private let limits: GatewayLimits
    /// A connection that was unused for so long is asked whether it is still there before a request is given to it.
    private static let checkedAfter: Int64 = 250

    /// By the endpoint's number; the longest unused first.
    private var idle: [Int: [Idle]] = [:]
    private var now: Int64
    private var isClosed = false
    private let worker: Worker
    private let http2 = HTTP2Upstreams()

    init(loop: any EventLoop, worker: Worker, limits: GatewayLimits, now: Int64) {
        self.worker = worker
        self.now = now
        self.loop = loop
        self.limits = limits
    }

    func connect(to endpoint: Endpoint, allowsReuse: Bool, ticket: Int, for user: any UpstreamUser) {
        if endpoint.speaksHTTP2 {
            return http2.connect(to: endpoint, ticket: ticket, for: user) { openHTTP2(to: endpoint) }
        }
        if allowsReuse {
            while let candidate = idle[endpoint.number]?.popLast() {
                guard candidate.link.isOpen else { continue }
                candidate.link.owner = nil
                if now - candidate.since >= Self.checkedAfter, candidate.link.checkIsStale() {
                    candidate.link.abort(reset: false)
                    continue
                }
                return user.connected(candidate.link, to: endpoint, ticket: ticket, isReused: true)
            }
        }
        let link = LinkHandler()
        // A tunnel passes each side's end of stream on by itself.
        open(link, to: endpoint, allowsHalfClosure: user is Tunnel) { isExhausted in
            guard let isExhausted else { return user.connected(link, to: endpoint, ticket: ticket, isReused: false) }
            user.connectFailed(ticket: ticket, isExhausted: isExhausted)
        }
    }

    private func openHTTP2(to endpoint: Endpoint) -> HTTP2ClientConnection {
        let link = LinkHandler()
        let connection = HTTP2ClientConnection(worker: worker, link: link, endpoint: endpoint) { [http2] in
            http2.closed($0)
        }
        open(link, to: endpoint, allowsHalfClosure: false) { isExhausted in
            if let isExhausted {
                connection.socketFailed(isExhausted: isExhausted)
            } else {
                connection.socketOpened()
            }
        }
        return connection
    }

    /// - Parameter done: called with `nil` when the connection is there, else with whether this process may open no more
    ///   files.
    private func open(
        _ link: LinkHandler, to endpoint: Endpoint, allowsHalfClosure: Bool,
        done: @escaping @Sendable (_ isExhausted: Bool?) -> Void
    ) {
        let limit = TimeAmount.milliseconds(limits.connectTimeout.milliseconds)
        let shaken = HandshakeResult()
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(limit)
            .channelOption(ChannelOptions.socketOption(.init(rawValue: SO_KEEPALIVE)), value: 1)
            .channelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(ChannelOptions.allowRemoteHalfClosure, value: allowsHalfClosure)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let tls = endpoint.tls else { return try channel.pipeline.syncOperations.addHandler(link) }
                    try tls.install(on: channel, link, speaksHTTP2: endpoint.speaksHTTP2, within: limit) {
                        shaken.tell($0 ? nil : .some(false))
                    }
                }
            }
        let future: EventLoopFuture<any Channel>
        // A host that is no address is resolved by NIO instead.
        if let address = try? SocketAddress(ipAddress: endpoint.host, port: endpoint.port) {
            future = bootstrap.connect(to: address)
        } else {
            future = bootstrap.connect(host: endpoint.host, port: endpoint.port)
        }
        future.whenComplete { result in
            switch result {
            case .success where endpoint.tls != nil: shaken.then(done)
            case .success: done(nil)
            case .failure(let error):
                done((error as? IOError).map { [EMFILE, ENFILE].contains($0.errnoCode) } ?? false)
            }
        }
    }

    func giveBack(_ link: any Link, endpoint: Endpoint) {
        if let stream = link as? HTTP2Stream { return stream.release() }
        guard let link = link as? LinkHandler, link.isOpen, !isClosed else { return link.close() }
        guard idle[endpoint.number, default: []].count < limits.maxIdlePerEndpoint else { return link.close() }
        link.owner = self
        idle[endpoint.number, default: []].append(Idle(link: link, since: now))
        link.resumeReading()
    }

    func tick(now: Int64) {
        self.now = now
        let oldest = now - limits.upstreamIdleTimeout.milliseconds
        http2.tick(now: now, oldest: oldest)
        for (number, entries) in idle {
            let expired = entries.prefix { $0.since <= oldest }
            guard !expired.isEmpty || entries.isEmpty else { continue }
            let left = entries.dropFirst(expired.count)
            idle[number] = left.isEmpty ? nil : Array(left)
            for entry in expired { entry.link.close() }
        }
    }

    func closeAll() {
        isClosed = true
        let all = idle.values.joined()
        idle = [:]
        for entry in all { entry.link.close() }
        http2.closeAll()
    }

    // MARK: LinkOwner, for connections that nobody uses

    func wantsBytes(from link: any Link) -> Bool { true }

    /// A copy that speaks without being asked cannot be trusted with another request: its bytes would be taken for the
    /// next answer.
    func received(_ bytes: UnsafeRawBufferPointer, from link: any Link) -> Int {
        link.close()
        return bytes.count
    }

    func readCompleted(_ link: any Link) {}
    func inputClosed(_ link: any Link) { link.close() }
    func writabilityChanged(_ link: any Link) {}

    func closed(_ link: any Link, cleanly: Bool) {
        for (number, entries) in idle {
            guard let position = entries.firstIndex(where: { $0.link === link }) else { continue }
            idle[number]?.remove(at: position)
            return
        }
    }
}

/// How a handshake with a service went, for whoever waits for it. It may be over before anybody asks.
///
/// `@unchecked Sendable`: it is used on one event loop.
private final class HandshakeResult: @unchecked Sendable {
    private var result: Bool??
    private var waiting: ((Bool?) -> Void)?

    func tell(_ isExhausted: Bool?) {
        guard result == nil else { return }
        result = .some(isExhausted)
        waiting?(isExhausted)
        waiting = nil
    }

    func then(_ done: @escaping (Bool?) -> Void) {
        if let result { done(result) } else { waiting = done }
    }
}
