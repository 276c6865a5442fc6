import Glibc

/// Whoever started the server and wants to be told how it does: systemd, or another that speaks its protocol.
///
/// The protocol is that of sd_notify(3): datagrams of `NAME=value` lines to the Unix socket that `NOTIFY_SOCKET` names, a
/// path or, after `@`, an abstract address. Where nobody asked, telling does nothing.
package struct ServiceManager: Sendable {
    /// What an address of a Unix socket holds.
    private static let longestAddress = 107

    private let address: String?
    /// How long the manager waits for a sign of life before it ends the server; `nil` for ever.
    package let watchdog: Duration?

    package static let none = ServiceManager(variables: [:])

    /// - Parameters:
    ///   - variables: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`, as the process was given them.
    ///   - pid: of this process; a watchdog that is meant for another one is not this one's.
    package init(variables: [String: String], pid: Int32 = getpid()) {
        let socket = variables["NOTIFY_SOCKET"] ?? ""
        let isKnown = (socket.hasPrefix("/") || socket.hasPrefix("@")) && socket.utf8.count > 1
        address = isKnown && socket.utf8.count <= Self.longestAddress ? socket : nil
        let isMeant = variables["WATCHDOG_PID"].map { Int32($0) == pid } ?? true
        let microseconds = variables["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
        watchdog = address != nil && isMeant && microseconds > 0 ? .microseconds(microseconds) : nil
    }

    /// From this process's environment, where it then is no more: what the server starts is not the manager's.
    package static func take() -> ServiceManager {
        var variables: [String: String] = [:]
        for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] {
            if let value = getenv(name) { variables[name] = String(cString: value) }
            unsetenv(name)
        }
        return ServiceManager(variables: variables)
    }

    package var isPresent: Bool { address != nil }

    /// Sends one datagram with these lines; never blocks.
    ///
    /// - Returns: `nil` when it is on its way or nobody asked, else why it is not.
    @discardableResult
    package func tell(_ lines: [String]) -> String? {
        guard let address else { return nil }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return String(cString: strerror(errno)) }
        defer { close(descriptor) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(address.utf8)
        // Abstract addresses begin with a zero byte and are as long as they are; paths end with one.
        let isAbstract = bytes[0] == UInt8(ascii: "@")
        if isAbstract { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes) }
        let length = MemoryLayout<sa_family_t>.size + bytes.count + (isAbstract ? 0 : 1)
        let message = Array(lines.map { $0.replacingNewlines }.joined(separator: "\n").utf8)
        let sent = withUnsafePointer(to: &name) { pointer in
            // The system call takes every kind of address as a `sockaddr`.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(
                    descriptor, message, message.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT), $0,
                    socklen_t(length))
            }
        }
        return sent == message.count ? nil : String(cString: strerror(errno))
    }
}

extension String {
    /// A line of the protocol is one line.
    fileprivate var replacingNewlines: String { String(map { $0.isNewline ? " " : $0 }) }
}
