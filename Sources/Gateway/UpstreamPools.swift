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

    init(loop: any EventLoop, limits: GatewayLimits, now: Int64) {
        self.now = now
        self.loop = loop
        self.limits = limits
    }

    func connect(to endpoint: Endpoint, allowsReuse: Bool, ticket: Int, for user: any UpstreamUser) {
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
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(.milliseconds(limits.connectTimeout.milliseconds))
            .channelOption(ChannelOptions.socketOption(.init(rawValue: SO_KEEPALIVE)), value: 1)
            .channelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            // A tunnel passes each side's end of stream on by itself.
            .channelOption(ChannelOptions.allowRemoteHalfClosure, value: user is Tunnel)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(link) }
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
            case .success: user.connected(link, to: endpoint, ticket: ticket, isReused: false)
            case .failure(let error):
                let isExhausted = (error as? IOError).map { [EMFILE, ENFILE].contains($0.errnoCode) } ?? false
                user.connectFailed(ticket: ticket, isExhausted: isExhausted)
            }
        }
    }

    func giveBack(_ link: any Link, endpoint: Endpoint) {
        guard let link = link as? LinkHandler, link.isOpen, !isClosed else { return link.close() }
        guard idle[endpoint.number, default: []].count < limits.maxIdlePerEndpoint else { return link.close() }
        link.owner = self
        idle[endpoint.number, default: []].append(Idle(link: link, since: now))
        link.resumeReading()
    }

    func tick(now: Int64) {
        self.now = now
        let oldest = now - limits.upstreamIdleTimeout.milliseconds
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
