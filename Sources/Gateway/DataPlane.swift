import EnvironmentGraph
import Foundation
import Logging
import NIOCore
import NIOPosix

/// Listeners, event loops and the table that they route by.
///
/// `apply` answers when every loop decides by the new table and every listener of it is bound or has said why not.
actor DataPlane {
    struct ListenerResult: Sendable, Hashable, Codable {
        var port: Int
        var error: String?
        /// It may come free by itself: see ``openTaken()``.
        var isTaken = false
    }

    private struct Listening {
        /// nil while another gateway accepts from the socket.
        var channel: (any Channel)?
        let socket: ListeningSocket
    }

    private let group: MultiThreadedEventLoopGroup
    private let loops: [LoopPart]
    private let limits: GatewayLimits
    private let logger: Logger
    private let spans: SpanStore?
    /// Milliseconds since 1970, UTC.
    private let startedAt = wallClock()
    private var listening: [Int: Listening] = [:]
    private var edge: Listening?
    /// Listeners of the table whose ports somebody else has, by their numbers.
    private var taken: [Int: RoutedListener] = [:]
    /// From the gateway before this one, until they are needed.
    private var inherited: [ListeningSocket] = []
    /// Sockets are opened, and nobody is accepted yet: never two processes at one socket.
    private var isHolding = false
    private var table: CompiledTable
    private var isApplying = false
    private var isStopped = false
    private var isEnding = false
    /// Rung when something begins to wait, here or at a follower.
    nonisolated let bell = WakeBell()
    /// In which contexts traces were seen; other gateways may share it.
    nonisolated let traces = TraceMemory()
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// - Parameters:
    ///   - identities: nil, and the edge speaks no TLS.
    ///   - spansFolder: where requests are recorded; nil: nowhere.
    ///   - exporter: is told of what is recorded.
    ///   - sharesFolder: another gateway may still record there.
    init(
        loops count: Int, limits: GatewayLimits, identities: TLSIdentities? = nil, spansFolder: String? = nil,
        exporter: OTLPExporter? = nil, sharesFolder: Bool = false, logger: Logger
    ) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: count)
        self.group = group
        self.limits = limits
        self.logger = logger
        let spans = spansFolder.map {
            SpanStore(
                folder: $0, limits: limits, loops: count, exporter: exporter, continuesLast: !sharesFolder)
        }
        self.spans = spans
        table = .empty
        var loops: [LoopPart] = []
        for loop in group.makeIterator() {
            loops.append(
                LoopPart(
                    loop: loop, count: count, limits: limits, traces: traces, spans: spans, table: .empty,
                    identities: identities))
        }
        self.loops = loops
        for part in loops { part.start(bell: bell) }
    }

    var version: UInt64 { table.version }
    var environmentCount: Int { table.environmentCount }
    var listenerCount: Int { listening.count }

    /// Opens the shared edge port; returns the port that was bound.
    func openEdge(host: String, port: Int) async throws -> Int {
        try await openEdge(try ListeningSocket(host: host, port: port))
    }

    func openEdge(_ socket: ListeningSocket) async throws -> Int {
        edge = try await accept(from: socket, port: nil)
        return socket.port
    }

    /// Sockets that the tables to come need not open. Nobody is accepted until ``acceptNow()``.
    func inherit(_ sockets: [ListeningSocket]) {
        inherited = sockets
        isHolding = true
    }

    /// Accepts from everything that is open by now; what is left of the inherited sockets is closed.
    func acceptNow() async throws {
        await enter()
        defer { leave() }
        (isHolding, inherited) = (false, [])
        for (port, open) in listening { listening[port] = try await accept(from: open.socket, port: port) }
        if let open = edge { edge = try await accept(from: open.socket, port: nil) }
    }

    /// Everything that is listened on.
    func sockets() async -> [OfferedSocket] {
        await enter()
        defer { leave() }
        return listening.values.map { OfferedSocket(socket: $0.socket, isEdge: false) }
            + [edge].compactMap { $0 }.map { OfferedSocket(socket: $0.socket, isEdge: true) }
    }

    /// nil where the table is older than the one in use, or the gateway has stopped.
    ///
    /// - Parameter delta: what makes `new` of the table in use, where that is known; then only that is compiled.
    func apply(_ new: RoutingTable, delta: RoutingDelta? = nil) async -> [ListenerResult]? {
        await enter()
        defer { leave() }
        guard !isStopped, new.version >= table.version else { return nil }
        let compiled = await install(new, delta)
        let wanted = Dictionary(new.listeners.map { ($0.port, $0) }) { first, _ in first }
        for (port, old) in listening where wanted[port] == nil || wanted[port]?.host != old.socket.host {
            listening[port] = nil
            // A listener that is closed already is what is wanted.
            try? await old.channel?.close().get()
        }
        taken = [:]
        var results: [ListenerResult] = []
        for (number, listener) in new.listeners.enumerated() {
            let error = await bind(listener, number, compiled)
            results.append(ListenerResult(port: listener.port, error: error, isTaken: taken[number] != nil))
        }
        return results
    }

    /// Tries once more to open what somebody else had: a gateway that ends, or a program between fork and exec, holds its
    /// ports for a moment longer.
    ///
    /// - Returns: what was tried, by the listeners' numbers in the table.
    func openTaken() async -> [Int: ListenerResult] {
        await enter()
        defer { leave() }
        guard !isStopped else { return [:] }
        var results: [Int: ListenerResult] = [:]
        for (number, listener) in taken {
            taken[number] = nil
            let error = await bind(listener, number, table)
            results[number] = ListenerResult(port: listener.port, error: error, isTaken: taken[number] != nil)
        }
        return results
    }

    /// Routes what is open by a newer table; whoever accepts opens what is new in it.
    func follow(_ new: RoutingTable) async {
        await enter()
        defer { leave() }
        guard !isStopped, new.version > table.version else { return }
        _ = await install(new)
    }

    private func install(_ new: RoutingTable, _ delta: RoutingDelta? = nil) async -> CompiledTable {
        let changed = delta.flatMap { $0.version == new.version ? CompiledTable($0, to: table) : nil }
        let compiled = changed ?? CompiledTable(new, after: table)
        table = compiled
        for part in loops {
            await part.install(compiled)
        }
        return compiled
    }

    func counts() async -> CountSnapshot {
        await enter()
        defer { leave() }
        var merged: [CallCount: UInt64] = [:]
        var total = CountSnapshot(calls: [], overflow: 0, disagreements: 0, startedAt: startedAt)
        var handshakes = HandshakeCounts(completed: 0, failed: 0)
        // A loop that has ended answers nobody.
        guard !isStopped else { return total }
        for part in loops {
            let snapshot = await part.counts()
            for call in snapshot.calls {
                var key = call
                key.count = 0
                merged[key, default: 0] += call.count
            }
            total.overflow += snapshot.overflow
            total.disagreements += snapshot.disagreements
            handshakes.completed += snapshot.handshakes?.completed ?? 0
            handshakes.failed += snapshot.handshakes?.failed ?? 0
        }
        total.handshakes = handshakes
        total.calls = merged.map { call, count in
            var call = call
            call.count = count
            return call
        }
        total.calls.sort { ($0.caller, $0.service, $0.count) < ($1.caller, $1.service, $1.count) }
        return total
    }

    /// What is waited for just now: at once where that may be more than when `number` was read, else within `limit`.
    func wanted(since number: UInt64?, within limit: Duration) async -> WantedReply {
        if let number, number == bell.number, !isEnding { await bell.wait(since: number, within: limit) }
        // Read before: what begins to wait meanwhile is asked for again.
        let now = bell.number
        var wanted: Set<WantedCopy> = []
        if !isStopped {
            for part in loops { wanted.formUnion(await part.wanted()) }
        }
        return WantedReply(
            number: now,
            wanted: wanted.sorted { ($0.environment.rawValue, $0.service) < ($1.environment.rawValue, $1.service) })
    }

    /// The gateway ends: questions for what is wanted are answered at once from now on.
    func stopWaiting() {
        isEnding = true
        bell.ring()
    }

    func activity() async -> ActivitySnapshot {
        await enter()
        defer { leave() }
        var total = LoopActivity()
        // A loop that has ended answers nobody.
        if !isStopped {
            for part in loops { total.add(await part.activity()) }
        }
        return total.snapshot(startedAt: startedAt, now: wallClock())
    }

    /// Rate, errors and duration by (environment, service, provider).
    func measures() async -> MeasureSnapshot {
        await enter()
        defer { leave() }
        var all: [MeasureSnapshot] = []
        // A loop that has ended answers nobody.
        if !isStopped {
            for part in loops { all.append(await part.measures()) }
        }
        var total = MeasureSnapshot.merged(all, maxSeries: limits.maxMeasureKeys)
        if let spans { total.spans = spans.counts }
        if let exporter = spans?.exporter { total.exports = exporter.counts }
        return total
    }

    /// Returns when every request that has ended is in the files.
    func flushSpans() async -> SpanCounts {
        await enter()
        defer { leave() }
        guard let spans else { return SpanCounts(recorded: 0, lost: 0) }
        if !isStopped {
            for part in loops { await part.handOverSpans() }
        }
        await spans.flush()
        return spans.counts
    }

    /// Stops accepting, lets requests in flight finish within the drain time, then closes what is left. Again: nothing.
    func shutDown() async {
        await enter()
        defer { leave() }
        guard !isStopped else { return }
        isStopped = true
        await stopAccepting()
        for part in loops { await part.drain() }
        let deadline = ContinuousClock.now + limits.drainTimeout
        while ContinuousClock.now < deadline, await !isIdle() {
            // Cancellation ends the waiting, and with it the drain.
            guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { break }
        }
        for part in loops { await part.stop() }
        await spans?.flush()
        do {
            try await group.shutdownGracefully()
        } catch {
            logger.error("event loops did not stop", metadata: ["error": "\(error)"])
        }
    }

    /// Somebody else accepts from now on. What is open is served to its end: connections end after their next answer, or when
    /// their time is over.
    func retire() async {
        await enter()
        defer { leave() }
        guard !isStopped else { return }
        await stopAccepting()
        for part in loops { await part.retire() }
    }

    /// Returns when nothing is open any more, or the time is over.
    func untilIdle(within limit: Duration) async {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline, await !isIdle() {
            // Cancellation ends the waiting.
            guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { return }
        }
    }

    /// NIO closes a client that was accepted and is not set up yet when its listener closes: so no more are accepted first, and
    /// then everything that is under way between the event loops is let through.
    private func stopAccepting() async {
        let channels = listening.values.compactMap(\.channel) + [edge?.channel].compactMap { $0 }
        for channel in channels {
            // A listener that is closed already is what is wanted.
            try? await channel.setOption(ChannelOptions.autoRead, value: false).get()
        }
        for _ in 0..<3 {
            for part in loops { await part.settle() }
        }
        for channel in channels { try? await channel.close().get() }
        listening = [:]
        edge = nil
        (inherited, taken) = ([], [:])
    }

    private func isIdle() async -> Bool {
        for part in loops where await part.connections() > 0 { return false }
        return true
    }

    private func bind(_ listener: RoutedListener, _ number: Int, _ compiled: CompiledTable) async -> String? {
        guard let known = compiled.listeners[listener.port], known.isFor(listener),
            !compiled.books.isIrregular || known.number == number
        else {
            return "its environment is not in the table, or the port is there twice"
        }
        guard listener.host == "127.0.0.1" || listener.host == "::1" else {
            return "\(listener.host) is no loopback address"
        }
        if listening[listener.port] != nil { return nil }
        do {
            let known = inherited.firstIndex { $0.port == listener.port && $0.host == listener.host }
            let socket =
                try known.map { inherited.remove(at: $0) } ?? ListeningSocket(host: listener.host, port: listener.port)
            listening[listener.port] = try await accept(from: socket, port: listener.port)
            return nil
        } catch let error where isAddressInUse(error) {
            taken[number] = listener
            return "the port is in use by another process"
        } catch {
            return "\(error)"
        }
    }

    private func accept(from socket: ListeningSocket, port: Int?) async throws -> Listening {
        guard !isHolding else { return Listening(channel: nil, socket: socket) }
        let channel = try await bootstrap(port: port).withBoundSocket(socket.give()).get()
        socket.restoreBacklog()
        return Listening(channel: channel, socket: socket)
    }

    private func bootstrap(port: Int?) -> ServerBootstrap {
        let loops = loops
        return ServerBootstrap(group: group)
            .childChannelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let part = loops.first(where: { $0.loop === channel.eventLoop }) else { return }
                    try part.accept(channel, listenerPort: port)
                }
            }
    }

    // One table after another: an actor alone would let a second one in while the first waits for its sockets.
    private func enter() async {
        guard isApplying else {
            isApplying = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func leave() {
        if waiting.isEmpty { isApplying = false } else { waiting.removeFirst().resume() }
    }
}

/// Milliseconds since 1970, UTC.
private func wallClock() -> Int64 { Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)) }
