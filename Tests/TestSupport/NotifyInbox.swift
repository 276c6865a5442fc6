import Foundation
import Synchronization

/// A datagram socket that plays the service manager: what a service tells it is kept in order.
package final class NotifyInbox: Sendable {
    /// As `NOTIFY_SOCKET` names it.
    package let address: String
    private let descriptor: Int32
    private let received = Mutex<[String]>([])

    /// - Parameter address: a path, or `@` and an abstract name.
    package init(_ address: String) throws {
        self.address = address
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(address.utf8)
        let isAbstract = address.hasPrefix("@")
        if isAbstract { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes) }
        let length = MemoryLayout<sa_family_t>.size + bytes.count + (isAbstract ? 0 : 1)
        let bound = withUnsafePointer(to: &name) { pointer in
            // The system call takes every kind of address as a `sockaddr`.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(length)) }
        }
        guard descriptor >= 0, bound == 0 else {
            throw NeverHappened(description: "cannot bind \(address): \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// Every datagram so far.
    package var messages: [String] {
        received.withLock { received in
            var buffer = [UInt8](repeating: 0, count: 8192)
            while true {
                let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                guard count >= 0 else { return received }
                received.append(String(decoding: buffer[..<count], as: UTF8.self))
            }
        }
    }

    /// Every line so far.
    package var lines: [String] { messages.flatMap { $0.split(separator: "\n").map(String.init) } }

    package func count(of line: String) -> Int { lines.count { $0 == line } }
}
