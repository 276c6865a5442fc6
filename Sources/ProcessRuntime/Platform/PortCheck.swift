import Glibc

/// Whether a port of this machine is free, and who has it.
enum PortCheck {
    /// `nil` when 127.0.0.1:port can be bound; otherwise what stands against it.
    static func obstacle(_ port: Int) -> String? {
        guard (1...65535).contains(port) else { return "port \(port) is no port number" }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return "cannot check port \(port): \(String(cString: strerror(errno)))" }
        defer { close(descriptor) }
        // Connections of an earlier run that are in TIME_WAIT do not count.
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = LoopbackAddress.of(port)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        // A listener with SO_REUSEADDR lets others bind beside it on some kernels; listening tells.
        if result == 0, listen(descriptor, 1) == 0 { return nil }
        let code = errno
        guard code == EADDRINUSE else { return "port \(port) cannot be used: \(String(cString: strerror(code)))" }
        guard let owner = owner(of: port) else { return "port \(port) is in use by another process" }
        return "port \(port) is in use by pid \(owner.pid) (\(owner.name))"
    }

    /// The process that listens on a port, where that may be seen.
    private static func owner(of port: Int) -> ProcessTable.Entry? {
        let inodes = Set(ListeningSocket.all().filter { $0.port == port }.map(\.link))
        guard !inodes.isEmpty else { return nil }
        for entry in ProcessTable.all() where !entry.isZombie {
            let folder = "/proc/\(entry.pid)/fd"
            for name in FolderListing.names(folder) {
                if let link = ProcessTable.link("\(folder)/\(name)"), inodes.contains(link) { return entry }
            }
        }
        return nil
    }
}
