import Dispatch
import Foundation
import HTTPTransport
import Logging
import NIOCore

/// What `microstax gateway` runs.
package enum GatewayProcess {
    /// Why it could not start.
    package struct StartError: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// Serves until SIGTERM, SIGINT, `POST /shutdown` or cancellation, then drains and returns.
    ///
    /// - Parameters:
    ///   - source: whose tables a standalone gateway follows; nil: they come through the control socket.
    ///   - onReady: called once, when everything is open.
    package static func run(
        _ configuration: GatewayConfiguration, following source: (any TableSource)? = nil,
        logger: Logger = Logger(label: "gateway"),
        onReady: @escaping @Sendable (GatewayStatus) -> Void = { _ in }
    ) async throws {
        guard configuration.edgeHost == "127.0.0.1" || configuration.edgeHost == "::1" else {
            throw StartError(description: "the edge host \(configuration.edgeHost) is no loopback address")
        }
        try prepare(folder: configuration.folder)
        let (endings, end) = AsyncStream.makeStream(of: Ending.self)
        var limits = configuration.limits
        limits.maxConnections = min(limits.maxConnections, Self.possibleConnections())
        let identities = try identities(configuration, logger)
        let exporter = OTLPExporter(configuration.otlp, version: configuration.productVersion, logger: logger)
        let plane = DataPlane(
            loops: configuration.loops, limits: limits, identities: identities,
            spansFolder: GatewayConfiguration.spansPath(inFolder: configuration.folder), exporter: exporter,
            sharesFolder: configuration.replaces, logger: logger)
        let desk = GatewayDesk(
            configuration, plane: plane, identities: identities, exporter: exporter, followed: source?.name,
            logger: logger
        ) { end.yield(.stop) }
        let signals = handleSignals { end.yield(.stop) }
        defer { for signal in signals { signal.cancel() } }
        let run = GatewayRun(
            configuration, plane: plane, desk: desk, source: source, logger: logger, endings: endings, end: end)
        let result: Result<Void, any Error>
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await exporter.run() }
                defer { group.cancelAll() }
                try await run.run(onReady: onReady)
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        // Not a child: when this task is cancelled the requests in flight still have their time. It is awaited here.
        await Task {
            await desk.endPredecessor()
            await plane.shutDown()
            await exporter.finish()
        }.value
        try result.get()
    }

    /// Takes as many open files as this process may have, and says how many clients they are enough for: each needs one
    /// connection of its own and one to a service.
    private static func possibleConnections() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return Int.max }
        limit.rlim_cur = limit.rlim_max
        // Where it is refused, the limit stays as it was, and is read again.
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return Int.max }
        return max(1, Int(clamping: (limit.rlim_cur - min(limit.rlim_cur, 64)) / 2))
    }

    private static func identities(
        _ configuration: GatewayConfiguration, _ logger: Logger
    ) throws(StartError) -> TLSIdentities? {
        guard configuration.tls != .off else { return nil }
        do {
            return try TLSIdentities(configuration.tls, protocols: LoopPart.protocols, logger: logger)
        } catch {
            throw StartError(description: error.description)
        }
    }

    private static func prepare(folder: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw StartError(description: "the folder \(folder) cannot be made: \(error.localizedDescription)")
        }
    }

    private static func handleSignals(_ stop: @escaping @Sendable () -> Void) -> [any DispatchSourceSignal] {
        [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler(handler: stop)
            source.resume()
            return source
        }
    }
}

func isAddressInUse(_ error: any Error) -> Bool { (error as? IOError)?.errnoCode == EADDRINUSE }
