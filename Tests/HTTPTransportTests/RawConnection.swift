import Glibc
import HTTPTransport
import TestSupport

/// A client that writes what it likes: a plain blocking socket with a receive timeout of ten seconds, closed when
/// dropped. Its calls block, so they run on threads of their own, never on Swift's pool.
final class RawConnection: Sendable {
    struct Failure: Error { var text: String }

    private let descriptor: Int32

    init(to address: HTTPAddress, receiveBuffer: Int32? = nil) throws {
        switch address {
        case .tcp(_, let port):
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var target = sockaddr_in()
            target.sin_family = sa_family_t(AF_INET)
            target.sin_port = in_port_t(port).bigEndian
            target.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            if var size = receiveBuffer {
                setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
            }
            let code = withUnsafePointer(to: &target) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard code == 0 else { throw Failure(text: "connect: \(errno)") }
        case .unix(let path):
            descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var target = sockaddr_un()
            target.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: path.utf8) }
            let code = withUnsafePointer(to: &target) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            guard code == 0 else { throw Failure(text: "connect: \(errno)") }
        }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { _ = Glibc.close(descriptor) }

    /// Returns how many bytes the kernel took; the server may have closed.
    @discardableResult
    func write(_ text: String) -> Int {
        let bytes = Array(text.utf8)
        return send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Says that nothing more will be written.
    func finishWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Up to the server's end of the connection.
    func readToEnd() async throws -> String { try await read { _ in false } }

    /// Until what came so far contains `mark`.
    func read(until mark: String) async throws -> String { try await read { $0.contains(mark) } }

    /// A single `recv`.
    func readSome(_ limit: Int = 65536) async throws -> [UInt8] {
        try await onThread { [descriptor] in
            var buffer = [UInt8](repeating: 0, count: limit)
            let count = recv(descriptor, &buffer, limit, 0)
            guard count >= 0 else { throw Failure(text: "recv: \(errno)") }
            return Array(buffer.prefix(count))
        }
    }

    private func read(until done: (String) -> Bool) async throws -> String {
        var all: [UInt8] = []
        while true {
            let some = try await readSome()
            all += some
            if some.isEmpty || done(text(all)) { return text(all) }
        }
    }
}

/// Runs something that blocks on a thread of its own.
func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        let job = Unmanaged.passRetained(ThreadBody { continuation.resume(with: Result { try body() }) })
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { raw in
                // The pointer that `pthread_create` was given just below; it is never nil.
                Unmanaged<ThreadBody>.fromOpaque(raw!).takeRetainedValue().run()
                return nil
            }, job.toOpaque())
        if code == 0 {
            pthread_detach(thread)
        } else {
            job.release()
            continuation.resume(throwing: RawConnection.Failure(text: "pthread_create: \(code)"))
        }
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
