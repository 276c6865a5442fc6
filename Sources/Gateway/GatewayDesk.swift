import EnvironmentGraph
import Foundation
import HTTPTransport
import Logging

/// What the control socket does: tables in, status and counts out. Keeps the last good table on disk.
actor GatewayDesk {
    /// A question for what is wanted is answered after so long in any case.
    private static let longestPoll = Duration.seconds(15)

    private let configuration: GatewayConfiguration
    let plane: DataPlane
    private let identities: TLSIdentities?
    let exporter: OTLPExporter
    nonisolated let followers: Followers
    private let file: TableFile
    let logger: Logger
    private let startedAt: String
    private let requestStop: @Sendable () -> Void
    private var edgePort = 0
    /// Of files.
    private var problems: [String] = []
    /// By their numbers in the table; see ``open(_:)``.
    var refused: [Int: DataPlane.ListenerResult] = [:]
    private var isReady = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    /// A table could not be stored: the next is stored whole.
    private var isFileBehind = false
    /// As it is stored, or should be.
    private var current = RoutingTable()
    private var storedVersion: UInt64 { current.version }
    /// One table, or a hand-over, at a time.
    private(set) var isChanging = false
    private(set) var changesWaiting: [CheckedContinuation<Void, Never>] = []
    /// Another gateway serves the folder.
    private(set) var isReleased = false
    private var predecessor: Predecessor?
    /// Of a standalone gateway.
    private(set) var following: FollowingStatus?
    private var sharing: TraceSharing?

    /// - Parameter followed: the control plane of a standalone gateway.
    init(
        _ configuration: GatewayConfiguration, plane: DataPlane, identities: TLSIdentities? = nil,
        exporter: OTLPExporter, followed: String? = nil, logger: Logger,
        requestStop: @escaping @Sendable () -> Void
    ) {
        following = followed.map { FollowingStatus(controlPlane: $0) }
        self.configuration = configuration
        self.plane = plane
        followers = Followers(plane.bell)
        self.identities = identities
        self.exporter = exporter
        self.logger = logger
        self.requestStop = requestStop
        file = TableFile(path: GatewayConfiguration.tablePath(inFolder: configuration.folder))
        startedAt = Self.now()
    }

    /// Loads the stored table and opens everything; requests to the control socket wait until then.
    ///
    /// - Parameter predecessor: whose sockets are used; nobody is accepted before ``DataPlane/acceptNow()``.
    func start(after predecessor: Predecessor? = nil) async throws {
        self.predecessor = predecessor
        if let predecessor { await plane.inherit(predecessor.sockets) }
        defer {
            isReady = true
            for continuation in waiting { continuation.resume() }
            waiting = []
        }
        switch try file.load() {
        case .none: break
        case .setAside(let path, let reason):
            report("the stored table could not be read and was kept as \(path): \(reason)")
        case .table(let table):
            current = table
            // Its last change may be cut off, and nothing is read behind that.
            isFileBehind = true
            _ = await open(await plane.apply(table) ?? [])
            for problem in refusals.map(\.problem) { logger.warning("\(problem)") }
        }
        edgePort = try await openEdge()
    }

    // MARK: Handing over

    /// Tables wait from here on, until ``goOn()`` or ``release()``.
    func offerSockets() async -> (tableVersion: UInt64, sockets: [OfferedSocket]) {
        await beginChange()
        return (storedVersion, await plane.sockets())
    }

    func goOn() { endChange() }

    /// Tables are for the next gateway.
    func release() {
        isReleased = true
        endChange()
    }

    /// The next gateway has stored a table.
    func follow() async {
        guard let table = file.look() else { return }
        await plane.follow(table)
        await predecessor?.follow(table.version)
    }

    /// The gateway before this one has nothing to wait for any more.
    func endPredecessor() async { await predecessor?.end() }

    func beginChange() async {
        guard isChanging else {
            isChanging = true
            return
        }
        await withCheckedContinuation { changesWaiting.append($0) }
    }

    func endChange() {
        if changesWaiting.isEmpty { isChanging = false } else { changesWaiting.removeFirst().resume() }
    }

    func handle(_ request: HTTPRequest) async -> HTTPResponse {
        if !isReady { await withCheckedContinuation { waiting.append($0) } }
        switch (request.method, request.path) {
        case ("PUT", "/table"): return await putTable(request.body)
        case ("PATCH", "/table"): return await patchTable(request.body)
        case ("GET", "/status"): return reply(await status())
        case ("GET", "/counts"): return reply(await plane.counts())
        case ("GET", "/wanted"):
            let since = request.query["since"].flatMap { UInt64($0) }
            return reply(await wanted(since: since))
        case ("GET", "/activity"): return await activity()
        case ("GET", "/measures"): return reply(await plane.measures())
        case ("PUT", "/otlp"): return putOTLP(request.body)
        case ("POST", "/spans/flush"): return reply(await plane.flushSpans())
        case ("POST", "/shutdown"):
            let last = await status()
            requestStop()
            return reply(last)
        default:
            if let answer = await health(request) { return answer }
            return refuse(
                404, "not_found", "there is no \(request.method) \(request.path) on a gateway's control socket")
        }
    }

    /// Whoever asks what is wanted is answered now.
    func stopWaiting() async { await plane.stopWaiting() }

    func follow(_ sharing: TraceSharing?) { self.sharing = sharing }

    func status() async -> GatewayStatus {
        following?.tracesProblem = await sharing?.problem
        return GatewayStatus(
            pid: getpid(), version: configuration.productVersion, tableVersion: await plane.version,
            edgePort: edgePort, startedAt: startedAt, environments: await plane.environmentCount,
            listeners: await plane.listenerCount,
            problems: problems + refusals.map(\.problem) + [identities?.problem].compactMap { $0 },
            refused: refusals.map { GatewayTableReply.Listener(port: $0.port, error: $0.error) }, following: following)
    }

    private func wanted(since number: UInt64?) async -> WantedReply {
        var reply = await plane.wanted(since: number, within: Self.longestPoll)
        // As soon as one of them has something, the bell has rung, and everything is asked for anew.
        let theirs = await followers.wanted().subtracting(reply.wanted)
        reply.wanted += theirs.sorted { ($0.environment.rawValue, $0.service) < ($1.environment.rawValue, $1.service) }
        return reply
    }

    private func activity() async -> HTTPResponse {
        do {
            return reply(try await followers.activity(joining: await plane.activity()))
        } catch {
            return refuse(503, "follower_silent", "a gateway that follows does not say who uses it: \(error)")
        }
    }

    // MARK: Following

    /// Routes by a table of the control plane, whatever its version: a control plane that was restored may number lower than
    /// before, and what it says counts all the same. The table that is in use is replaced as a whole.
    func take(_ theirs: RoutingTable) async {
        var table = theirs
        // They are ports that the control plane's own machine has for its services.
        if !configuration.opensListeners { table.listeners = [] }
        await beginChange()
        defer { endChange() }
        guard !isReleased else { return }
        let inUse = await plane.version
        table.version = max(table.version, current.version + 1, inUse + 1)
        let delta = current.version > 0 ? table.delta(since: current) : nil
        _ = await use(table, delta) { [file, table] in
            let encoder = JSONEncoder()
            if let delta {
                try file.append(Array(try encoder.encode(delta)), of: table)
            } else {
                try file.save(Array(try encoder.encode(table)))
            }
        }
    }

    /// - Parameter problem: why the control plane did not answer; `nil`: it did.
    func heard(_ problem: String?) {
        if let problem, following?.problem == nil {
            logger.warning("the control plane does not answer", metadata: ["reason": "\(problem)"])
        } else if problem == nil, following?.problem != nil {
            logger.info("the control plane answers again")
        }
        following?.problem = problem
        if problem == nil { following?.heardAt = Self.now() }
    }

    /// RFC 3339, UTC.
    private static func now() -> String { ISO8601DateFormatter().string(from: Date()) }

    private func putOTLP(_ body: [UInt8]) -> HTTPResponse {
        do {
            let order = try JSONDecoder().decode(OTLPOrder.self, from: Data(body))
            exporter.direct(to: order.target)
            return reply(order.target.map { "\($0.host):\($0.port)" } ?? "none")
        } catch {
            return refuse(400, "malformed", "where spans are to go is malformed: \(error)")
        }
    }

    private func putTable(_ body: [UInt8]) async -> HTTPResponse {
        let table: RoutingTable
        do {
            table = try JSONDecoder().decode(RoutingTable.self, from: Data(body))
        } catch {
            return refuse(400, "malformed", "the routing table is malformed: \(error)")
        }
        await beginChange()
        defer { endChange() }
        return await take(table, nil) { [file] in try file.save(body) }
    }

    /// What is other than in the table that is in use; the answer names only the listeners that could not be bound.
    private func patchTable(_ body: [UInt8]) async -> HTTPResponse {
        let delta: RoutingDelta
        do {
            delta = try JSONDecoder().decode(RoutingDelta.self, from: Data(body))
        } catch {
            return refuse(400, "malformed", "the change of the routing table is malformed: \(error)")
        }
        await beginChange()
        defer { endChange() }
        guard await plane.version == current.version, let table = current.applying(delta) else {
            return refuse(409, "another_base", "the change is of version \(delta.base), not of \(current.version)")
        }
        return await take(table, delta, namesAll: false) { [file] in try file.append(body, of: table) }
    }

    private func take(
        _ table: RoutingTable, _ delta: RoutingDelta?, namesAll: Bool = true, store: () throws -> Void
    ) async -> HTTPResponse {
        guard !isReleased else { return refuse(409, "stopping", "another gateway has taken over") }
        guard var taken = await use(table, delta, store: store) else {
            let inUse = await plane.version
            return refuse(
                409, "table_version_older", "version \(table.version) is older than \(inUse), which is in use")
        }
        if !namesAll { taken.listeners.removeAll { $0.error == nil } }
        return reply(taken)
    }

    /// nil where the table is older than the one in use.
    private func use(_ table: RoutingTable, _ delta: RoutingDelta?, store: () throws -> Void) async
        -> GatewayTableReply?
    {
        guard let results = await plane.apply(table, delta: delta) else { return nil }
        var storeError: String?
        do {
            // Behind a gap in the file nothing is read any more.
            if isFileBehind { try file.save(Array(try JSONEncoder().encode(table))) } else { try store() }
            isFileBehind = false
        } catch {
            isFileBehind = true
            storeError = "the table is in use but could not be stored: \(error)"
        }
        current = table
        await predecessor?.follow(table.version)
        let listeners = await open(results)
        problems = []
        if let storeError { report(storeError) }
        return GatewayTableReply(version: table.version, listeners: listeners, storeError: storeError)
    }

    private func openEdge() async throws -> Int {
        let host = configuration.edgeHost
        if let edge = predecessor?.edge, edge.host == host, [nil, 0, edge.port].contains(configuration.edgePort) {
            return try await plane.openEdge(edge)
        }
        if let port = configuration.edgePort {
            return try await patiently { try await self.plane.openEdge(host: host, port: port) }
        }
        let first = GatewayConfiguration.defaultEdgePort
        for port in first..<(first + 100) {
            do {
                return try await plane.openEdge(host: host, port: port)
            } catch let error where isAddressInUse(error) {
                continue
            }
        }
        return try await plane.openEdge(host: host, port: 0)
    }

    private func report(_ problem: String) {
        problems.append(problem)
        logger.warning("\(problem)")
    }

    private func reply(_ value: some Encodable) -> HTTPResponse {
        do {
            return HTTPResponse(
                status: 200, fields: HTTPFields([("content-type", "application/json")]),
                body: .bytes(Array(try JSONEncoder().encode(value))))
        } catch {
            return refuse(500, "malformed", "the answer could not be written: \(error)")
        }
    }

    private func refuse(_ status: Int, _ code: String, _ message: String) -> HTTPResponse {
        let envelope = GatewayErrorEnvelope(error: GatewayControlError(code: code, message: message))
        // Two strings always encode.
        let body = (try? JSONEncoder().encode(envelope)) ?? Data()
        return HTTPResponse(
            status: status, fields: HTTPFields([("content-type", "application/json")]), body: .bytes(Array(body)))
    }
}
