import CPlatform
import Glibc
import NIOCore
import Synchronization

/// A TCP socket that listens, with its descriptor, so that another process can be given it too. The kernel's queue of clients
/// belongs to the socket: whoever holds it may take the next one, and while anybody does, no client is refused.
final class ListeningSocket: Sendable {
    static let backlog: Int32 = 1024

    let host: String
    let port: Int
    /// Valid until it is closed here, or by the event loop that it was given to.
    let descriptor: Int32
    private let isOwned = Mutex(true)

    /// - Throws: `IOError`.
    init(host: String, port: Int) throws(IOError) {
        descriptor = msx_listen_tcp(host, UInt16(truncatingIfNeeded: port), Self.backlog)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "listen on \(host):\(port)") }
        self.host = host
        self.port = Int(msx_local_port(descriptor))
    }

    /// One that another process opened.
    init(adopting descriptor: Int32, host: String, port: Int) {
        self.descriptor = descriptor
        self.host = host
        self.port = port
    }

    deinit {
        if isOwned.withLock({ $0 }) { close(descriptor) }
    }

    /// For an event loop, which closes it when it is done with it.
    func give() -> Int32 {
        isOwned.withLock { $0 = false }
        return descriptor
    }

    /// An event loop that takes a bound socket gives it a short queue.
    func restoreBacklog() { _ = listen(descriptor, Self.backlog) }
}
