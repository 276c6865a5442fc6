import NIOCore

/// Who is at the other end of a connection.
package struct HTTPPeer: Sendable {
    /// The user of the process that connected to a Unix socket, from the kernel (SO_PEERCRED), so it cannot be forged.
    /// Nil on TCP.
    package var uid: UInt32?
    /// `127.0.0.1:41234`, or `unix`.
    package var address: String

    package init(uid: UInt32? = nil, address: String) {
        self.uid = uid
        self.address = address
    }

    /// Linux's `struct ucred` (unix(7)).
    private struct Credentials: Sendable {
        var pid: Int32
        var uid: UInt32
        var gid: UInt32
    }

    /// Asks the kernel. A Unix peer whose uid cannot be read has none, and so is nobody's owner.
    static func of(_ channel: any Channel) -> EventLoopFuture<HTTPPeer> {
        guard case .unixDomainSocket = channel.localAddress else {
            let remote = channel.remoteAddress
            let address = "\(remote?.ipAddress ?? "unknown"):\(remote?.port ?? 0)"
            return channel.eventLoop.makeSucceededFuture(HTTPPeer(address: address))
        }
        #if os(Linux)
            if let provider = channel as? any SocketOptionProvider {
                let peerCredentials = NIOBSDSocket.Option(rawValue: 17)  // SO_PEERCRED, which NIO does not name.
                let credentials: EventLoopFuture<Credentials> = provider.unsafeGetSocketOption(
                    level: .socket, name: peerCredentials)
                return credentials.map { HTTPPeer(uid: $0.uid, address: "unix") }
                    .recover { _ in HTTPPeer(address: "unix") }
            }
        #endif
        return channel.eventLoop.makeSucceededFuture(HTTPPeer(address: "unix"))
    }
}
