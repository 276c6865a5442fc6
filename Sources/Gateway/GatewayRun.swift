import Glibc
import HTTPTransport
import Logging

/// Why a gateway stops serving.
enum Ending: Sendable {
    case stop
    /// Another one accepts now; what is open here is served to its end.
    case retire(MessageSocket)
}

/// One gateway from its first socket to its last connection.
struct GatewayRun: Sendable {
    private let configuration: GatewayConfiguration
    private let plane: DataPlane
    private let desk: GatewayDesk
    private let source: (any TableSource)?
    /// Of a gateway that follows.
    private let sharing: TraceSharing?
    private let logger: Logger
    private let endings: AsyncStream<Ending>
    private let end: AsyncStream<Ending>.Continuation

    init(
        _ configuration: GatewayConfiguration, plane: DataPlane, desk: GatewayDesk, source: (any TableSource)?,
        logger: Logger,
        endings: AsyncStream<Ending>, end: AsyncStream<Ending>.Continuation
    ) {
        self.configuration = configuration
        self.plane = plane
        self.desk = desk
        self.source = source
        sharing = source.map { _ in TraceSharing(plane.traces, folder: configuration.folder, logger: logger) }
        self.logger = logger
        self.endings = endings
        self.end = end
    }

    /// Returns when it was told to stop, or after its retirement.
    func run(onReady: @escaping @Sendable (GatewayStatus) -> Void) async throws {
        // Before anybody is served by a table that is on disk.
        await sharing?.ask()
        await desk.follow(sharing)
        let takesOver = try await takeOver()
        guard case .retire(let successor) = try await serve(isStarted: takesOver, onReady: onReady) else { return }
        await retire(before: successor)
    }

    // MARK: Taking over

    /// Opens everything with the sockets of the gateway that serves the folder, and accepts once that one does no more: who
    /// comes in between waits in the kernel. False where there is none.
    private func takeOver() async throws -> Bool {
        guard configuration.replaces else { return false }
        do {
            guard let predecessor = try await Predecessor.find(folder: configuration.folder, logger: logger) else {
                return false
            }
            try await start(after: predecessor)
            shareTraces(try await predecessor.release())
            try await plane.acceptNow()
            return true
        } catch let refusal as Predecessor.Refusal {
            throw GatewayProcess.StartError(description: refusal.description)
        } catch let failure as MessageSocket.Failure {
            throw GatewayProcess.StartError(description: "the running gateway did not hand over: \(failure)")
        }
    }

    /// Without what the gateway before this one has seen, a caller that forwards nothing but a trace id would be answered by the
    /// baseline for a while.
    private func shareTraces(_ descriptor: Int32?) {
        do {
            guard let descriptor else { throw TraceRegion.Failure(description: "it gave none") }
            try plane.traces.share(descriptor, now: LoopPart.milliseconds())
        } catch {
            logger.warning("the earlier gateway's traces are forgotten", metadata: ["error": "\(error)"])
        }
    }

    private func start(after predecessor: Predecessor? = nil) async throws {
        do {
            try await desk.start(after: predecessor)
        } catch let error where isAddressInUse(error) {
            throw GatewayProcess.StartError(description: "edge port \(configuration.edgePort ?? 0) is in use")
        }
    }

    // MARK: Serving

    /// The control socket serves from the beginning, so that a second gateway on the same folder is refused before it
    /// opens anything; it ends when the data plane is told to stop.
    private func serve(
        isStarted: Bool, onReady: @escaping @Sendable (GatewayStatus) -> Void
    ) async throws -> Ending {
        let (listens, listening) = AsyncStream.makeStream(of: Void.self)
        var limits = HTTPServer.Limits()
        limits.maxBodyBytes = 256 << 20
        let server = HTTPServer(
            address: .unix(path: GatewayConfiguration.socketPath(inFolder: configuration.folder)), limits: limits
        ) { [desk] request, _ in
            await desk.handle(request)
        }
        return try await withThrowingTaskGroup(of: Ending.self) { group in
            group.addTask {
                defer { listening.finish() }
                try await server.run { _ in listening.yield() }
                return .stop
            }
            if let port = configuration.adminPort {
                group.addTask {
                    try await serveAdmin(port)
                    return .stop
                }
            }
            group.addTask {
                guard await listens.first(where: { _ in true }) != nil else { return .stop }
                if !isStarted { try await start() }
                return await offered(onReady: onReady)
            }
            defer { group.cancelAll() }
            return try await group.next() ?? .stop
        }
    }

    private func serveAdmin(_ port: Int) async throws {
        let limits = HTTPServer.Limits(maxBodyBytes: 1 << 10, maxConnections: 64)
        let server = HTTPServer(address: .tcp(host: "127.0.0.1", port: port), limits: limits) { [desk] request, _ in
            await desk.adminAnswer(request)
        }
        do {
            try await server.run()
        } catch let error as HTTPServerError {
            throw GatewayProcess.StartError(description: "the admin port: \(error)")
        }
    }

    private func offered(onReady: @Sendable (GatewayStatus) -> Void) async -> Ending {
        onReady(await desk.status())
        return await withTaskGroup(of: Void.self) { group in
            group.addTask {
                guard let successor = await successor() else { return }
                // Tables that wait must not hold up the end of the control socket.
                await desk.release()
                end.yield(.retire(successor))
            }
            group.addTask { await desk.keepOpening() }
            if let source {
                group.addTask { await sharing?.run() }
                group.addTask {
                    await TableFollower(source: source, desk: desk, sharing: sharing, logger: logger).run()
                }
            }
            defer { group.cancelAll() }
            // Cancelled: nobody says why.
            let ending = await endings.first { _ in true } ?? .stop
            await desk.stopWaiting()
            return ending
        }
    }

    /// The next gateway, once it is ready. One that cannot be followed serves all the same.
    private func successor() async -> MessageSocket? {
        do {
            return try await HandoverOffer(folder: configuration.folder, desk: desk, logger: logger).run()
        } catch {
            logger.warning("another gateway cannot take over from this one", metadata: ["error": "\(error)"])
            return nil
        }
    }

    // MARK: Retiring

    /// Nobody comes here any more. The successor tells of tables; if it ends without a word, what is open is served all the
    /// same.
    private func retire(before successor: MessageSocket) async {
        await plane.retire()
        let region = plane.traces.region
        // A successor that is gone is noticed below.
        withExtendedLifetime(region) { try? successor.send(HandoverMessage(.released), [region.descriptor]) }
        logger.info("another gateway has taken over")
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await follow(successor) }
            group.addTask { await plane.untilIdle(within: configuration.limits.retirement) }
            group.addTask { _ = await endings.first { _ in true } }
            await group.next()
            group.cancelAll()
            successor.end()
        }
    }

    /// Returns when the successor wants an end.
    private func follow(_ successor: MessageSocket) async {
        do {
            while let (message, _) = try await successor.receive() {
                switch message.kind {
                case .table:
                    await desk.follow()
                    try successor.send(HandoverMessage(.applied, tableVersion: message.tableVersion))
                case .end: return
                default: break
                }
            }
        } catch {
            logger.warning("the link to the next gateway broke", metadata: ["error": "\(error)"])
        }
        // It died: its own successor accepts, and this one has only its connections to think of.
        while (try? await Task.sleep(for: .seconds(3600))) != nil {}
    }
}
