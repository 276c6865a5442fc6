import Blueprints
import NIOCore
import NIOSSL
import Synchronization

/// How TLS is spoken to a service: its certificate is always verified, against the name and the authorities that the Blueprint
/// says. There is no way to switch that off.
///
/// `@unchecked Sendable`: the contexts are not changed once they are made (see ``ServerContext``).
final class ServiceTLS: @unchecked Sendable, Hashable {
    let settings: PortTLS
    private let plain: Result<NIOSSLContext, any Error>
    private let http2: Result<NIOSSLContext, any Error>
    private let lastProblem = Mutex<String?>(nil)

    /// Reads the system's authorities where no others are said, so it is made beside the event loops.
    init(_ settings: PortTLS) {
        self.settings = settings
        plain = Result { try Self.context(settings, ["http/1.1"]) }
        http2 = Result { try Self.context(settings, ["h2"]) }
    }

    static func == (left: ServiceTLS, right: ServiceTLS) -> Bool { left === right }
    func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }

    /// Why the last handshake failed; nil after one that did not.
    var problem: String? { lastProblem.withLock { $0 } }

    private static func context(_ settings: PortTLS, _ protocols: [String]) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuites = TLSProblem.cipherSuites
        configuration.certificateVerification = .fullVerification
        configuration.applicationProtocols = protocols
        configuration.shutdownTimeout = .seconds(2)
        if let authorities = settings.authorities {
            let certificates = try NIOSSLCertificate.fromPEMBytes(Array(authorities.utf8))
            guard !certificates.isEmpty else { throw TLSProblem("no authority is given") }
            configuration.trustRoots = .certificates(certificates)
        }
        return try NIOSSLContext(configuration: configuration)
    }

    /// Puts TLS between the socket and `link`. On the channel's event loop, before it connects.
    ///
    /// - Parameter done: called once, with whether the service is who it should be.
    func install(
        on channel: any Channel, _ link: LinkHandler, speaksHTTP2: Bool, within limit: TimeAmount,
        done: @escaping @Sendable (Bool) -> Void
    ) throws {
        let context: NIOSSLContext
        do {
            context = try (speaksHTTP2 ? http2 : plain).get()
        } catch {
            note("\(error)")
            throw error
        }
        let shell = ServiceShell()
        var timeout: Scheduled<Void>?
        let arrival = TLSArrival { result in
            timeout?.cancel()
            switch result {
            case .success:
                self.note(nil)
                done(true)
            case .failure(let error):
                self.note("\(error)")
                done(false)
            }
        }
        timeout = channel.eventLoop.scheduleTask(in: limit) {
            arrival.giveUp(TLSProblem("it took longer than \(limit.nanoseconds / 1_000_000) ms"))
            shell.cut()
        }
        // An address is not said to the service, and is looked for in its certificate all the same.
        let name = try? NIOSSLClientHandler(context: context, serverHostname: settings.serverName)
        let handler = try name ?? NIOSSLClientHandler(context: context, serverHostname: nil)
        link.shell = shell
        try channel.pipeline.syncOperations.addHandlers(shell, handler, arrival, link)
    }

    private func note(_ problem: String?) {
        lastProblem.withLock { last in
            last = problem.map { "TLS with the service's copy (as \(settings.serverName)) failed: \($0)." }
        }
    }
}

/// Nearest to the socket of a connection to a service.
private final class ServiceShell: ChannelInboundHandler, TLSShell, @unchecked Sendable {
    // Used on its channel's event loop only.
    typealias InboundIn = ByteBuffer

    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }
    func cut() { context?.close(promise: nil) }
}
