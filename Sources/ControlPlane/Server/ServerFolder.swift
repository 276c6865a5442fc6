import Files
import Foundation
import Glibc
import ProcessRuntime
import Storage

/// The state folder of a local server and the places in it.
///
/// ```
/// server.lock   held by the one server            server.json  how to reach it
/// store.sqlite  everything that is acknowledged   secrets.key  what its secrets are sealed with
/// environments/ of the process runtime            gateway/     of the gateway: its table, its socket, its log
/// authority/    who speaks for https at localhost
/// ```
package struct ServerFolder: Sendable {
    package let path: String

    package var socket: String { path + "/server.sock" }
    package var lock: String { path + "/server.lock" }
    package var announcement: String { path + "/server.json" }
    package var store: String { path + "/store.sqlite" }
    package var key: String { path + "/secrets.key" }
    package var log: String { path + "/server.log" }
    package var environments: String { path + "/environments" }
    package var authority: String { path + "/authority" }
    package var gateway: String { path + "/gateway" }
    package var gatewayLog: String { path + "/gateway/gateway.log" }
    package var gatewayProcess: String { path + "/gateway/process.json" }

    /// The places in a folder that may not be there.
    package init(existing path: String) { self.path = path }

    /// Makes the folder, for this user alone.
    package init(path: String) throws(StoreError) {
        self.path = path
        // 107 bytes is what the address of a Unix socket holds; the longest is the gateway's.
        guard (path + "/gateway/gateway.sock").utf8.count <= 107 else {
            throw StoreError(
                .unwritable, "the path of the state folder is too long for Unix sockets: \(path)",
                hint: "set MICROSTAX_HOME to a folder with a path of at most 85 bytes")
        }
        do {
            for folder in [path, path + "/environments", path + "/gateway"] { try Self.makeFolder(folder) }
        } catch {
            throw StoreError(
                .unwritable, "cannot make the state folder \(path): \(Self.reason(error))",
                hint: "set MICROSTAX_HOME to a folder that you can write to")
        }
        try Self.requireOwn(path)
        guard access(path, W_OK) == 0 else {
            throw StoreError(
                .unwritable, "cannot write to the state folder \(path): \(String(cString: strerror(errno)))",
                hint: "set MICROSTAX_HOME to a folder that you can write to")
        }
    }

    /// Takes the folder for this process, until it ends.
    ///
    /// - Throws: ``StoreError`` `.locked` where another server has it.
    package func take() throws(StoreError) {
        // Not closed: the lock lives as long as the process.
        let descriptor = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StoreError(.unwritable, "cannot write \(lock): \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw StoreError(
                .locked, "another server has the state folder \(path)",
                hint: "use it (`microstax env list`), or set MICROSTAX_HOME to a folder of its own")
        }
    }

    /// Writes a file so that a reader sees the old or the new content, never a part.
    package static func write(_ bytes: Data, to path: String) throws(StoreError) {
        do {
            try AtomicFile.write(bytes, to: path)
        } catch {
            throw StoreError(
                .unwritable, "\(error)", hint: error.isFull ? "make room on the disk of \(error.path)" : nil)
        }
    }

    /// Root's services may run as other users, who must be able to go through to their volumes: they can pass, but list
    /// nothing, and every file is root's alone. A folder that is there already is left as it is.
    private static func makeFolder(_ path: String) throws {
        guard !FileManager.default.fileExists(atPath: path) else { return }
        let mode = geteuid() == 0 ? 0o711 : 0o700
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: mode])
    }

    /// In a folder that others can write to, they could exchange the socket or the key.
    private static func requireOwn(_ path: String) throws(StoreError) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
            throw StoreError(
                .unwritable, "the state folder \(path) belongs to another user, or others can write to it",
                hint: "set MICROSTAX_HOME to a folder of your own (mode 0700)")
        }
    }

    private static func reason(_ error: any Error) -> String {
        ((error as? CocoaError)?.underlying ?? error).localizedDescription
    }
}
