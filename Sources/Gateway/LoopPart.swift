import NIOCore

/// An event loop with its worker and its pools, and the way in from other threads.
///
/// `@unchecked Sendable`: worker and pools are touched on `loop` only.
final class LoopPart: @unchecked Sendable {
    /// What is offered to clients that speak TLS (ALPN, RFC 7301), the preferred first.
    static let protocols = ["h2", "http/1.1"]
    /// How exact deadlines are.
    private static let tick = TimeAmount.milliseconds(250)

    let loop: any EventLoop
    private let worker: Worker
    private let pools: UpstreamPools
    /// nil: TLS is off.
    private let identities: TLSIdentities?
    private var ticking: RepeatedTask?

    init(
        loop: any EventLoop, count: Int, limits: GatewayLimits, traces: TraceMemory, spans: SpanStore?,
        table: CompiledTable, identities: TLSIdentities? = nil
    ) {
        self.loop = loop
        self.identities = identities
        let now = Self.milliseconds()
        worker = Worker(
            limits: limits, loops: count, traces: traces, spans: spans.map { SpanRecorder($0) }, table: table, now: now,
            seed: UInt64.random(in: 0...UInt64.max))
        pools = UpstreamPools(loop: loop, worker: worker, limits: limits, now: now)
        worker.onPostponed = { [unowned self] in loop.execute { self.worker.runPostponed() } }
    }

    /// The machine's clock that only goes forward.
    static func milliseconds() -> Int64 { Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000) }

    /// - Parameter bell: rung when something begins to wait for a copy.
    func start(bell: WakeBell) {
        loop.execute {
            self.worker.bell = bell
            self.ticking = self.loop.scheduleRepeatedTask(initialDelay: Self.tick, delay: Self.tick) { _ in
                let now = Self.milliseconds()
                self.worker.tick(now: now)
                self.pools.tick(now: now)
            }
        }
    }

    /// A client's new connection; called on the loop.
    func accept(_ channel: any Channel, listenerPort: Int?) throws {
        guard worker.clients < worker.maxConnections, !worker.isDraining else {
            let link = LinkHandler()
            try channel.pipeline.syncOperations.addHandler(link)
            GatewayFault.overloaded.response(closes: true, isHead: false).withUnsafeBytes { link.write($0) }
            return link.close()
        }
        guard listenerPort == nil, let identities else {
            return try serve(channel, listenerPort: listenerPort, Arrival())
        }
        let door = EdgeDoor(worker: worker, identities: identities) { channel, arrival in
            try self.serve(channel, listenerPort: nil, arrival)
        }
        try channel.pipeline.syncOperations.addHandler(door)
    }

    /// What the client says from here on is HTTP, or a TCP listener's.
    private func serve(_ channel: any Channel, listenerPort: Int?, _ arrival: Arrival) throws {
        let link = LinkHandler()
        link.shell = arrival.shell
        try channel.pipeline.syncOperations.addHandler(link)
        let listener = listenerPort.flatMap { worker.table.listeners[$0] }
        if let listener, listener.isTCP {
            let tunnel = Tunnel(worker: worker, downstream: link)
            link.owner = tunnel
            return tunnel.open(listener: listener, connector: pools)
        }
        let address = Array((channel.remoteAddress?.ipAddress ?? "unknown").utf8)
        if arrival.spoken == "h2" {
            _ = HTTP2ServerConnection(
                worker: worker, connector: pools, link: link, listenerPort: listenerPort, identity: listener?.identity,
                clientAddress: address, isSecure: arrival.isSecure)
            return
        }
        link.owner = Exchange(
            worker: worker, connector: pools, downstream: link, listenerPort: listenerPort, clientAddress: address,
            isSecure: arrival.isSecure)
    }

    func install(_ table: CompiledTable) async { await onLoop { self.worker.install(table) } }

    func counts() async -> CountSnapshot { await onLoop { self.worker.callCounts() } }

    func activity() async -> LoopActivity { await onLoop { self.worker.loopActivity() } }

    func wanted() async -> Set<WantedCopy> { await onLoop { self.worker.wanted() } }

    func connections() async -> Int { await onLoop { self.worker.connections } }

    func measures() async -> MeasureSnapshot { await onLoop { self.worker.measured() } }

    /// Gives the spans so far to the writer.
    func handOverSpans() async { await onLoop { self.worker.spans?.handOver() } }

    /// Returns when the loop has seen to everything that waited for it.
    func settle() async { await onLoop {} }

    func retire() async { await onLoop { self.worker.retire() } }

    func drain() async { await onLoop { self.worker.drain() } }

    func stop() async {
        await onLoop {
            self.ticking?.cancel()
            self.worker.closeAll()
            self.worker.spans?.handOver()
            self.pools.closeAll()
        }
    }

    private func onLoop<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { continuation in
            loop.execute { continuation.resume(returning: body()) }
        }
    }
}
