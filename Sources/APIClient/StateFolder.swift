import API
import FoundationEssentials
import Glibc
import HTTPTransport

/// The folder that a local server keeps everything in: `$MICROSTAX_HOME`, else, for root, `/var/lib/microstax` (root's
/// home is closed to the users that services may run as), else `$XDG_STATE_HOME/microstax`, else
/// `~/.local/state/microstax`.
package struct StateFolder: Sendable, Hashable {
    /// Longest path of a Unix socket, in bytes (`sun_path` without its end mark).
    package static let maxSocketPathBytes = 107
    /// More is not read of `server.json`.
    private static let maxAnnouncementBytes = 65536

    package let path: String

    package init(path: String) { self.path = path }

    package init(environment: [String: String]) throws(LocationProblem) {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let home = variable("MICROSTAX_HOME") {
            path = home.hasPrefix("/") ? home : FileManager.default.currentDirectoryPath + "/" + home
        } else if geteuid() == 0 {
            path = "/var/lib/microstax"
        } else if let state = variable("XDG_STATE_HOME"), state.hasPrefix("/") {
            path = state + "/microstax"
        } else if let home = variable("HOME") {
            path = home + "/.local/state/microstax"
        } else {
            throw LocationProblem("no state folder: neither MICROSTAX_HOME nor HOME is set")
        }
    }

    /// The running (or last) server's own words; `nil` where there are none that can be read.
    package var announcement: ServerAnnouncement? {
        // Absent before the first start, half-written never (it is renamed into place): absence is the only case.
        guard let data = try? Data(contentsOf: URL(filePath: path + "/server.json")),
            data.count <= Self.maxAnnouncementBytes
        else { return nil }
        // An unreadable announcement means the same as none: the socket's usual place.
        return try? JSONDecoder().decode(ServerAnnouncement.self, from: data)
    }

    /// The announced place, else `server.sock`.
    package var socketPath: String { announcement?.socket ?? path + "/server.sock" }

    /// Whether somebody accepts connections on the socket right now.
    package var answers: Bool {
        let socketPath = socketPath
        guard socketPath.utf8.count <= Self.maxSocketPathBytes else { return false }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socketPath.utf8) }
        return withUnsafePointer(to: &address) { pointer in
            // The system call takes every kind of address as a `sockaddr`.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}
