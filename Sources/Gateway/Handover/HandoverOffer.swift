import Foundation
import Glibc
import Logging

/// Offers this gateway's sockets to the one that is to follow it, for as long as it runs.
struct HandoverOffer: Sendable {
    /// How long a successor may take from taking the sockets to serving.
    static let patience = Duration.seconds(15)
    /// How long whoever connects may take to say what it wants.
    private static let greeting = Duration.seconds(5)

    private let path: String
    private let listener: MessageSocket
    private let desk: GatewayDesk
    private let logger: Logger

    private enum Caller {
        case successor
        case follower(folder: String?)
        /// It is gone, or wanted nothing.
        case nobody
    }

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
            await withDiscardingTaskGroup(returning: MessageSocket?.self) { group in
                defer {
                    unlink(path)
                    // The end of their connections tells followers that this gateway has ended.
                    group.cancelAll()
                }
                while let link = await listener.accept() {
                    do {
                        switch try await serve(link) {
                        case .successor: return link
                        case .follower(let folder): group.addTask { await desk.followers.attend(folder, link) }
                        case .nobody: link.end()
                        }
                    } catch {
                        logger.warning("another gateway's question broke off", metadata: ["error": "\(error)"])
                        link.end()
                    }
                }
                return nil
            }
        } onCancel: {
            listener.end()
        }
    }

    private func serve(_ link: MessageSocket) async throws -> Caller {
        let question = try await link.receive(within: Self.greeting)?.message
        switch question?.kind {
        case .take:
            do {
                if try await offer(link) { return .successor }
            } catch {
                logger.warning("a successor did not take over", metadata: ["error": "\(error)"])
            }
            await desk.goOn()
            return .nobody
        case .traces:
            let region = desk.plane.traces.region
            try withExtendedLifetime(region) { try link.send(HandoverMessage(.traces), [region.descriptor]) }
            return .follower(folder: question?.folder)
        default: return .nobody
        }
    }

    private func offer(_ link: MessageSocket) async throws -> Bool {
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
