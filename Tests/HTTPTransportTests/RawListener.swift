import Glibc
import HTTPTransport
import TestSupport

/// A server that answers its one connection with given bytes, whatever was asked, then leaves it open or closes it.
final class RawListener: Sendable {
    private let descriptor: Int32
    private let connections = Shared(0)
    let address: HTTPAddress

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let code = withUnsafeMutablePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 8) == 0
                    ? getsockname(descriptor, $0, &length) : -1
            }
        }
        address = .tcp(host: "127.0.0.1", port: Int(in_port_t(bigEndian: target.sin_port)))
        guard code == 0 else { throw RawConnection.Failure(text: "listen: \(errno)") }
        // Holds for `accept` too, so that a client that never comes is a failure and not a hang.
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { _ = Glibc.close(descriptor) }

    /// Accepts one connection, reads a little, writes `answer`; then closes, or waits for the client to close.
    /// Returns when the connection is over.
    func answer(_ answer: String, thenClose: Bool) async throws {
        try await onThread { [descriptor, connections] in
            let connection = accept(descriptor, nil, nil)
            guard connection >= 0 else { throw RawConnection.Failure(text: "accept: \(errno)") }
            defer { _ = Glibc.close(connection) }
            var limit = timeval(tv_sec: 10, tv_usec: 0)
            setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            var buffer = [UInt8](repeating: 0, count: 65536)
            _ = recv(connection, &buffer, buffer.count, 0)
            let bytes = Array(answer.utf8)
            _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            connections.change { $0 += 1 }
            if thenClose { return }
            while true {
                let count = recv(connection, &buffer, buffer.count, 0)
                if count == 0 || (count < 0 && errno == ECONNRESET) { return }
                guard count > 0 else { throw RawConnection.Failure(text: "the client did not close: \(errno)") }
            }
        }
    }

    /// Waits until a connection has got its answer.
    func accepted() async throws {
        try await eventually("a connection") { connections.value > 0 ? true : nil }
    }

    /// A socket file whose server is gone.
    static func leaveStaleSocket(_ path: String) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: path.utf8) }
        let code = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        _ = Glibc.close(descriptor)
        guard code == 0 else { throw RawConnection.Failure(text: "bind: \(errno)") }
    }
}
