import Certificates
import Dispatch
import Files
import Foundation
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// A TLS context that may go from thread to thread.
///
/// `@unchecked Sendable`: BoringSSL's `SSL_CTX` counts its references atomically and is not changed once it is made.
struct ServerContext: @unchecked Sendable {
    let context: NIOSSLContext
}

/// Who the edge says that it is: gives each handshake the context for the name that the client asked for.
///
/// Files are read, keys made and signatures written on a queue of its own, never on an event loop.
final class TLSIdentities: Sendable {
    /// Names with a context at once; somebody may ask for many.
    static let mostNames = 1024
    /// How often the files are looked at, at most.
    private static let lookEvery = Duration.seconds(1)
    /// How long a client has to say that it has seen the end.
    private static let shutdownTimeout = TimeAmount.seconds(2)

    private struct Signed {
        let context: ServerContext
        let leaf: Leaf
        var usedAt: ContinuousClock.Instant
    }

    private struct State {
        var signed: [LoopbackName: Signed] = [:]
        var ofFiles: ServerContext?
        var lookedAt: ContinuousClock.Instant?
        var problem: String?
    }

    private let settings: TLSSettings
    private let protocols: [String]
    private let logger: Logger
    private let queue = DispatchQueue(label: "gateway.certificates")
    private let state = Mutex(State())
    /// What the files were when they were last read.
    private let marks = Mutex<[FileMark]>([])

    /// - Parameter protocols: offered in ALPN, the preferred first.
    /// - Throws: ``TLSProblem`` where the files cannot be used: a gateway that is told to use them does not start without.
    init(_ settings: TLSSettings, protocols: [String], logger: Logger) throws(TLSProblem) {
        self.settings = settings
        self.protocols = protocols
        self.logger = logger
        guard case .files(let certificate, let key) = settings else { return }
        marks.withLock { $0 = [FileMark(certificate), FileMark(key)] }
        let context = try read(certificate: certificate, key: key)
        state.withLock { $0.ofFiles = context }
    }

    /// What an operator should know just now.
    var problem: String? { state.withLock { $0.problem } }

    /// The context for a client that names `name`; the future fails where nobody here may speak for it.
    func context(for name: String?, on loop: any EventLoop) -> EventLoopFuture<ServerContext> {
        let now = ContinuousClock.now
        let wanted: LoopbackName?
        switch settings {
        case .off: return loop.makeFailedFuture(TLSProblem("TLS is off"))
        case .files:
            wanted = nil
            if let context = freshFiles(now) { return loop.makeSucceededFuture(context) }
        case .localAuthority:
            guard let allowed = name.map({ LoopbackName($0) }) ?? .unnamed else {
                return loop.makeFailedFuture(UnknownName())
            }
            wanted = allowed
            if let context = known(allowed, now) { return loop.makeSucceededFuture(context) }
        }
        let promise = loop.makePromise(of: ServerContext.self)
        queue.async { [self] in
            promise.completeWith(Result { try make(wanted, now) })
        }
        return promise.futureResult
    }

    // MARK: Files

    private func freshFiles(_ now: ContinuousClock.Instant) -> ServerContext? {
        state.withLock { state in
            guard let lookedAt = state.lookedAt, now - lookedAt < Self.lookEvery else { return nil }
            return state.ofFiles
        }
    }

    /// On the queue. A new certificate that cannot be used leaves the old one in use, and is told.
    private func look(certificate: String, key: String, _ now: ContinuousClock.Instant) -> ServerContext? {
        let found = [FileMark(certificate), FileMark(key)]
        let isNew = marks.withLock { marks in
            defer { marks = found }
            return marks != found
        }
        var read: Result<ServerContext, TLSProblem>?
        if isNew {
            read = Result { () throws(TLSProblem) in try self.read(certificate: certificate, key: key) }
        }
        switch read {
        case .success?: logger.info("the certificate was read again", metadata: ["path": "\(certificate)"])
        case .failure(let problem)?: logger.error("\(problem); the earlier certificate stays in use")
        case nil: break
        }
        return state.withLock { state in
            state.lookedAt = now
            switch read {
            case .success(let context)?: (state.ofFiles, state.problem) = (context, nil)
            case .failure(let problem)?: state.problem = "\(problem); the earlier certificate stays in use"
            case nil: break
            }
            return state.ofFiles
        }
    }

    private func read(certificate: String, key: String) throws(TLSProblem) -> ServerContext {
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certificate)
            guard !chain.isEmpty else { throw TLSProblem("no certificate is in it") }
            return try makeContext(chain, try NIOSSLPrivateKey(file: key, format: .pem))
        } catch {
            throw TLSProblem("the certificate \(certificate) with the key \(key) cannot be used: \(error)")
        }
    }

    // MARK: The local authority

    private func known(_ name: LoopbackName, _ now: ContinuousClock.Instant) -> ServerContext? {
        state.withLock { state in
            guard let signed = state.signed[name], !signed.leaf.isDue(Date()) else { return nil }
            state.signed[name]?.usedAt = now
            return signed.context
        }
    }

    /// On the queue, so that of several clients for one name the first alone has a certificate made.
    private func make(_ name: LoopbackName?, _ now: ContinuousClock.Instant) throws -> ServerContext {
        switch settings {
        case .off: throw TLSProblem("TLS is off")
        case .files(let certificate, let key):
            if let context = freshFiles(now) ?? look(certificate: certificate, key: key, now) { return context }
            throw TLSProblem("there is no certificate")
        case .localAuthority(let folder):
            guard let name else { throw TLSProblem("no name is asked for") }
            if let context = known(name, now) { return context }
            return try sign(name, folder, now)
        }
    }

    private func sign(_ name: LoopbackName, _ folder: String, _ now: ContinuousClock.Instant) throws -> ServerContext {
        do {
            // Read for every leaf: somebody may have taken the authority away, or made another one.
            let authority = try LocalAuthority.loadOrMake(folder: folder, owner: LocalAuthority.thisUser, now: Date())
            let leaf = try authority.issue(for: name, now: Date())
            let context = try makeContext(
                [try NIOSSLCertificate(bytes: Array(leaf.certificatePEM.utf8), format: .pem)],
                try NIOSSLPrivateKey(bytes: Array(leaf.keyPEM.utf8), format: .pem))
            state.withLock { state in
                if state.signed.count >= Self.mostNames,
                    let oldest = state.signed.min(by: { $0.value.usedAt < $1.value.usedAt })
                {
                    state.signed[oldest.key] = nil
                }
                state.signed[name] = Signed(context: context, leaf: leaf, usedAt: now)
                state.problem = nil
            }
            return context
        } catch {
            let problem = "no certificate for \(name.isUnnamed ? "localhost" : name.description): \(error)"
            let isNew = state.withLock { state in
                defer { state.problem = problem }
                return state.problem != problem
            }
            if isNew { logger.error("\(problem)") }
            throw error
        }
    }

    /// TLS 1.2 and 1.3, and the cipher suites with forward secrecy and authenticated encryption only (RFC 9325 section
    /// 4.2).
    private func makeContext(_ chain: [NIOSSLCertificate], _ key: NIOSSLPrivateKey) throws -> ServerContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuites = TLSProblem.cipherSuites
        configuration.applicationProtocols = protocols
        configuration.shutdownTimeout = Self.shutdownTimeout
        return ServerContext(context: try NIOSSLContext(configuration: configuration))
    }
}

/// A client asks for a name that nobody here speaks for.
struct UnknownName: Error {}

/// Why TLS cannot be spoken.
package struct TLSProblem: Error, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }

    /// Of TLS 1.2, for both directions; those of 1.3 are all good.
    static let cipherSuites = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ].joined(separator: ":")
}
