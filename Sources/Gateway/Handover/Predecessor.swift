import EnvironmentGraph
import Foundation
import Glibc
import Logging

/// The gateway before this one, as this one sees it: gives its sockets, and then serves the connections that it has to their
/// end. It is told of every table, so that no request of theirs is decided by an old one.
actor Predecessor {
    /// How long it may take to say anything.
    private static let patience = Duration.seconds(20)
    /// How long a table waits for it.
    private static let tablePatience = Duration.seconds(1)

    /// What it gave.
    nonisolated let sockets: [ListeningSocket]
    nonisolated let edge: ListeningSocket?
    private let link: MessageSocket
    private let logger: Logger
    private var isGone = false

    /// nil where no gateway serves the folder, or one that knows no hand-over.
    static func find(folder: String, logger: Logger) async throws -> Predecessor? {
        guard let link = try connect(folder) else { return nil }
        try link.send(HandoverMessage(.take))
        var sockets: [ListeningSocket] = []
        var edge: ListeningSocket?
        while let (message, descriptors) = try await link.receive(within: patience) {
            for (index, socket) in (message.sockets ?? []).enumerated() where index < descriptors.count {
                let adopted = ListeningSocket(adopting: descriptors[index], host: socket.host, port: socket.port)
                if socket.isEdge { edge = adopted } else { sockets.append(adopted) }
            }
            if message.kind == .offered { return Predecessor(link, sockets, edge, logger) }
        }
        throw Refusal(description: "the running gateway did not hand over its sockets")
    }

    private static func connect(_ folder: String) throws(MessageSocket.Failure) -> MessageSocket? {
        do {
            return try MessageSocket.connect(GatewayConfiguration.handoverPath(inFolder: folder))
        } catch {
            if error.isAbsence { return nil }
            throw error
        }
    }

    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    private init(_ link: MessageSocket, _ sockets: [ListeningSocket], _ edge: ListeningSocket?, _ logger: Logger) {
        self.link = link
        self.sockets = sockets
        self.edge = edge
        self.logger = logger
    }

    /// This gateway can serve; returns when the other one accepts no more and its control socket is free, with the descriptor of
    /// its ``TraceRegion``, if it is of a version that has one.
    func release() async throws -> Int32? {
        try link.send(HandoverMessage(.ready))
        guard let (message, files) = try await link.receive(within: Self.patience), message.kind == .released else {
            throw Refusal(description: "the running gateway went on by itself: it was not told in time")
        }
        return files.first
    }

    /// Returns when its connections are routed by the table that is in the folder's file, or it does not answer.
    func follow(_ version: UInt64) async {
        guard !isGone else { return }
        do {
            try link.send(HandoverMessage(.table, tableVersion: version))
            guard let (message, _) = try await link.receive(within: Self.tablePatience), message.kind == .applied else {
                isGone = true
                return
            }
        } catch {
            isGone = true
            logger.warning(
                "the earlier gateway does not follow; it is ended", metadata: ["error": "\(error)"])
            end()
        }
    }

    /// It shall end now: what it still has gets the time of a drain.
    func end() {
        // It may have ended by itself.
        try? link.send(HandoverMessage(.end))
        link.end()
        isGone = true
    }
}
