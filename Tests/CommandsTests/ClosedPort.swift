import Glibc
import HTTPTransport
import TestSupport

/// A port of this machine that refuses connections, and that nobody else is given while `body` runs.
func withClosedPort<T>(_ body: (HTTPAddress) async throws -> T) async throws -> T {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        // The system calls take every kind of address as a `sockaddr`.
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
        }
    }
    guard isBound else { throw NeverHappened(description: "no port could be had: \(String(cString: strerror(errno)))") }
    return try await body(.tcp(host: "127.0.0.1", port: Int(UInt16(bigEndian: address.sin_port))))
}
