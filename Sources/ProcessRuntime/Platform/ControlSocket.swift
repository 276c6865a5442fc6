import Foundation
import Glibc
import Runtimes

/// Chooses where a supervisor's socket is: in its folder, or, where that path does not fit into `sun_path`, in a short
/// folder of this user.
enum ControlSocket {
    /// One less than the size of `sun_path`, and room for a suffix.
    static let longest = 103

    static func path(for folder: EnvironmentFolder) throws -> String {
        let usual = folder.path + "/control.sock"
        if usual.utf8.count <= longest { return usual }
        let base = try shortFolder()
        return "\(base)/\(ShortHash.of(folder.path)).sock"
    }

    /// Removes a socket, and the short folder where that was the last in it.
    static func remove(_ socket: String) throws {
        try FolderRemoval.remove(socket)
        guard !socket.hasSuffix("/control.sock"), let slash = socket.lastIndex(of: "/") else { return }
        rmdir(String(socket[..<slash]))
    }

    private static func shortFolder() throws -> String {
        if let runtime = ProcessInfo.processInfo.environment["XDG_RUNTIME_DIR"], runtime.hasPrefix("/"),
            runtime.utf8.count < 60, access(runtime, W_OK) == 0
        {
            return try owned(runtime + "/microstax")
        }
        return try owned("/tmp/microstax-\(geteuid())")
    }

    private static func owned(_ base: String) throws -> String {
        try SmallFile.createFolder(base, mode: 0o700)
        var status = stat()
        guard lstat(base, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
            status.st_mode & 0o077 == 0
        else {
            throw RuntimeError(
                .ioError, "\(base) must be a folder of this user that nobody else can enter (mode 0700)",
                hint: "chmod 700 \(base)")
        }
        return base
    }
}
