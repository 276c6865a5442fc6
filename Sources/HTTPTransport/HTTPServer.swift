import NIOCore
import NIOPosix

/// One server on one address.
///
/// Each connection is one event-loop-confined `HTTPServerConnection`; each request runs `handler` in a task of its own.
/// What is malformed, too large or too slow is answered here, in the API's JSON error envelope, and never reaches the
/// handler. A handler whose client leaves before it answered is let finish, because half a change is worse than an
/// unread answer; once a streamed response runs, the client's leaving cancels the stream.
///
/// The most memory that clients can make it hold is `maxConnections * (maxBodyBytes + maxHeadBytes)` and one chunk of a
/// response each; a WebSocket holds its largest message and 128 KiB instead. NIO's sockets are not close-on-exec: a
/// process that starts others has to keep them from inheriting.
package struct HTTPServer: Sendable {
    /// What one client may use up. Times and sizes beyond these end with 408, 413, 431 or 503.
    package struct Limits: Sendable {
        package var maxBodyBytes: Int
        /// Request line and fields together.
        package var maxHeadBytes: Int
        /// From the connection, or from a kept-alive request's first byte, to the end of the head.
        package var headTimeout: Duration
        /// From the end of the head to the end of the body.
        package var bodyTimeout: Duration
        /// How long a kept-alive connection may wait for its next request, and how long a client may not take any byte
        /// of a response that is being written.
        package var idleTimeout: Duration
        package var maxConnections: Int
        /// How long requests in flight may go on once the server is told to stop; then they are cancelled, and endless
        /// streams at once.
        package var stopDeadline: Duration

        package init(
            maxBodyBytes: Int = 16 << 20, maxHeadBytes: Int = 64 << 10, headTimeout: Duration = .seconds(10),
            bodyTimeout: Duration = .seconds(30), idleTimeout: Duration = .seconds(120), maxConnections: Int = 1024,
            stopDeadline: Duration = .seconds(5)
        ) {
            self.maxBodyBytes = maxBodyBytes
            self.maxHeadBytes = maxHeadBytes
            self.headTimeout = headTimeout
            self.bodyTimeout = bodyTimeout
            self.idleTimeout = idleTimeout
            self.maxConnections = maxConnections
            self.stopDeadline = stopDeadline
        }
    }

    package typealias Handler = @Sendable (HTTPRequest, HTTPPeer) async -> HTTPResponse

    private let address: HTTPAddress
    private let limits: Limits
    private let unixMode: UInt32
    private let handler: Handler

    /// `unixMode` is the socket file's mode, in force before anyone can connect.
    package init(
        address: HTTPAddress, limits: Limits = Limits(), unixMode: UInt32 = 0o600, handler: @escaping Handler
    ) {
        self.address = address
        self.limits = limits
        self.unixMode = unixMode
        self.handler = handler
    }

    /// Binds and serves until the calling task is cancelled; then stops accepting, lets requests in flight end within
    /// `stopDeadline`, removes the socket file and returns. Throws `HTTPServerError` when it cannot bind, and
    /// `CancellationError` only when cancelled before it listened.
    ///
    /// `onListening` is called once with the address really bound (port 0 resolved).
    package func run(onListening: @Sendable (HTTPAddress) -> Void = { _ in }) async throws {
        try Task.checkCancellation()
        let connections = HTTPServerConnections(maxConnections: limits.maxConnections)
        let bootstrap = bootstrap(connections)
        let channel: any Channel
        let bound: HTTPAddress
        var file: UnixSocketFile?
        switch address {
        case .unix(let path):
            let socket = try await UnixSocketFile.bind(path: path, mode: unixMode)
            file = socket.file
            bound = address
            do {
                channel = try await bootstrap.withBoundSocket(socket.descriptor).get()
            } catch {
                socket.file.remove()
                throw HTTPServerError(.cannotBind, "cannot listen on \(path): \(error)")
            }
        case .tcp(let host, let port):
            do {
                channel = try await bootstrap.bind(host: host, port: port).get()
            } catch let error as IOError where error.errnoCode == SystemError.addressInUse {
                throw HTTPServerError(.addressInUse, "\(host):\(port) is in use by another process")
            } catch {
                throw HTTPServerError(.cannotBind, "cannot listen on \(host):\(port): \(error)")
            }
            bound = .tcp(host: host, port: channel.localAddress?.port ?? port)
        }
        onListening(bound)
        await withTaskCancellationHandler {
            // The close future never fails.
            try? await channel.closeFuture.get()
        } onCancel: {
            channel.close(promise: nil)
        }
        await connections.stop(within: limits.stopDeadline, on: channel.eventLoop)
        file?.remove()
    }

    private func bootstrap(_ connections: HTTPServerConnections) -> ServerBootstrap {
        let limits = limits
        let handler = handler
        return ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(ChannelOptions.backlog, value: 1024)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                HTTPPeer.of(channel).flatMapThrowing { peer in
                    let connection = HTTPServerConnection(
                        channel: channel, peer: peer, limits: limits, connections: connections, handler: handler)
                    try connection.install()
                }
            }
    }
}
