import Foundation
import Glibc
import Logging

/// Offers this gateway's sockets to the one that is to follow it, for as long as it runs.
struct HandoverOffer: Sendable {
    /// How long a successor may take from taking the sockets to serving.
    static let patience = Duration.seconds(15)

    private let path: String
    private let listener: MessageSocket
    private let desk: GatewayDesk
    private let logger: Logger

    /// Only for the gateway that has the control socket: whatever lies at the path is removed.
    init(folder: String, desk: GatewayDesk, logger: Logger) throws {
        path = GatewayConfiguration.handoverPath(inFolder: folder)
        self.desk = desk
        self.logger = logger
        listener = try MessageSocket.listen(path)
    }

    /// Returns the link to the successor that is ready, or nil when cancelled. A successor that is not ready in time, or goes
    /// away, changes nothing.
    func run() async -> MessageSocket? {
        await withTaskCancellationHandler {
            defer { unlink(path) }
            while let link = await listener.accept() {
                do {
                    if try await offer(link) { return link }
                } catch {
                    logger.warning("a successor did not take over", metadata: ["error": "\(error)"])
                }
                link.end()
                await desk.goOn()
            }
            return nil
        } onCancel: {
            listener.end()
        }
    }

    private func offer(_ link: MessageSocket) async throws -> Bool {
        guard let (message, _) = try await link.receive(within: Self.patience), message.kind == .take else {
            return false
        }
        let (version, sockets) = await desk.offerSockets()
        var rest = sockets[...]
        while !rest.isEmpty {
            let batch = rest.prefix(100)
            rest = rest.dropFirst(batch.count)
            try link.send(
                HandoverMessage(
                    .sockets,
                    sockets: batch.map {
                        HandoverMessage.Socket(host: $0.socket.host, port: $0.socket.port, isEdge: $0.isEdge)
                    }),
                batch.map(\.socket.descriptor))
        }
        try link.send(HandoverMessage(.offered, tableVersion: version))
        guard let (answer, _) = try await link.receive(within: Self.patience), answer.kind == .ready else {
            logger.warning("a successor went away before it was ready; serving goes on")
            return false
        }
        return true
    }
}

/// A socket that is offered; it stays this process's own as well.
struct OfferedSocket: Sendable {
    let socket: ListeningSocket
    /// The shared port for host names.
    let isEdge: Bool
}
