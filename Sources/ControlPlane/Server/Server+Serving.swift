import API
import Foundation
import HTTPTransport
import Logging
import ProcessRuntime

extension Server {
    /// The socket's mode keeps everybody else out; who gets in is the owner.
    func serveOwner(_ manager: ServiceManager, onReady: @escaping @Sendable () -> Void) async throws {
        let server = HTTPServer(address: .unix(path: socket)) { [handler] request, peer in
            guard let uid = peer.uid, uid == geteuid() || uid == 0 else {
                return APIHandler.failure(
                    APIProblem(.forbidden, "this socket is its owner's alone"), requestID: "req_refused")
            }
            return await handler.handle(request, actor: "owner")
        }
        let (listening, continuation) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { continuation.finish() }
                try await server.run { _ in
                    do {
                        try announce()
                        continuation.yield()
                        onReady()
                    } catch {
                        log.error("cannot announce the server", metadata: ["error": "\(error)"])
                    }
                }
            }
            group.addTask {
                for await _ in listening {
                    await watchOverItself(manager)
                    return
                }
            }
            try await group.waitForAll()
        }
    }

    func serveTCP(_ listener: ServerConfiguration.Listener) async throws {
        let expected = SecretBox.sha256(Array(listener.token.utf8))
        let address = HTTPAddress.tcp(host: listener.host, port: listener.port)
        // Bodies are read before the token can be checked, so there are fewer and smaller ones than on the socket.
        let limits = HTTPServer.Limits(maxBodyBytes: 4 << 20, maxConnections: 128)
        let server = HTTPServer(address: address, limits: limits) { [handler] request, _ in
            // Digests of equal length are compared, so that the time taken says nothing of the token.
            let words = (request.fields["authorization"] ?? "").split(separator: " ", maxSplits: 1)
            let isBearer = words.first?.lowercased() == "bearer"
            let given = SecretBox.sha256(Array((words.last ?? "").utf8))
            if isBearer, given == expected { return await handler.handle(request, actor: "token") }
            if handler.isOpen(request) { return await handler.handle(request, actor: APIHandler.anyone) }
            return APIHandler.failure(
                APIProblem(
                    .unauthorized, "this address needs the server's token",
                    hint: "set MICROSTAX_API_KEY, or send `authorization: Bearer msx_…`"),
                requestID: "req_refused")
        }
        try await server.run { log.info("listening", metadata: ["address": "\($0)"]) }
    }

    private func announce() throws {
        let announcement = ServerAnnouncement(
            pid: getpid(), startTime: DetachedProcess.current.startTime, socket: socket,
            version: configuration.version)
        try ServerFolder.write(try JSONEncoder().encode(announcement), to: folder.announcement)
    }
}
