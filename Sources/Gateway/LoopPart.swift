import NIOCore

/// An event loop with its worker and its pools, and the way in from other threads.
///
/// `@unchecked Sendable`: worker and pools are touched on `loop` only.
final class LoopPart: @unchecked Sendable {
    /// How exact deadlines are.
    private static let tick = TimeAmount.milliseconds(250)

    let loop: any EventLoop
    private let worker: Worker
    private let pools: UpstreamPools
    private var ticking: RepeatedTask?

    init(loop: any EventLoop, count: Int, limits: GatewayLimits, traces: TraceMemory, table: CompiledTable) {
        self.loop = loop
        let now = Self.milliseconds()
        worker = Worker(
            limits: limits, loops: count, traces: traces, table: table, now: now,
            seed: UInt64.random(in: 0...UInt64.max))
        pools = UpstreamPools(loop: loop, limits: limits, now: now)
    }

    private static func milliseconds() -> Int64 { Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000) }

    func start() {
        loop.execute {
            self.ticking = self.loop.scheduleRepeatedTask(initialDelay: Self.tick, delay: Self.tick) { _ in
                let now = Self.milliseconds()
                self.worker.tick(now: now)
                self.pools.tick(now: now)
            }
        }
    }

    /// A client's new connection; called on the loop.
    func accept(_ channel: any Channel, listenerPort: Int?) throws {
        let link = LinkHandler()
        try channel.pipeline.syncOperations.addHandler(link)
        guard worker.connections < worker.maxConnections, !worker.isDraining else {
            GatewayFault.overloaded.response(closes: true, isHead: false).withUnsafeBytes { link.write($0) }
            return link.close()
        }
        let listener = listenerPort.flatMap { worker.table.listeners[$0] }
        if let listener, listener.isTCP {
            let tunnel = Tunnel(worker: worker, downstream: link)
            link.owner = tunnel
            return tunnel.open(listener: listener, connector: pools)
        }
        link.owner = Exchange(
            worker: worker, connector: pools, downstream: link, listenerPort: listenerPort,
            clientAddress: Array((channel.remoteAddress?.ipAddress ?? "unknown").utf8))
    }

    func install(_ table: CompiledTable) async { await onLoop { self.worker.install(table) } }

    func counts() async -> CountSnapshot { await onLoop { self.worker.callCounts() } }

    func activity() async -> LoopActivity { await onLoop { self.worker.loopActivity() } }

    func connections() async -> Int { await onLoop { self.worker.connections } }

    func drain() async { await onLoop { self.worker.drain() } }

    func stop() async {
        await onLoop {
            self.ticking?.cancel()
            self.worker.closeAll()
            self.pools.closeAll()
        }
    }

    private func onLoop<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { continuation in
            loop.execute { continuation.resume(returning: body()) }
        }
    }
}
