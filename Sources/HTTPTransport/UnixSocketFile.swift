#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A Unix socket's file: made without a moment in which someone else could connect or two servers could both believe to
/// own it, and removed only by the one who made it.
///
/// The folder is locked (`flock`, no file of its own) while a stale file is told from a live one and replaced. Nobody
/// can connect before `listen`, and the mode is set before that.
struct UnixSocketFile: Sendable {
    let path: String
    private let device: dev_t
    private let inode: ino_t

    /// The longest path that fits `sockaddr_un` with its closing zero.
    static let maxPathBytes = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
    private static let lockTime = Duration.seconds(5)

    /// A listening, non-blocking socket and its file. Throws `HTTPServerError`.
    static func bind(path: String, mode: UInt32) async throws -> (descriptor: Int32, file: UnixSocketFile) {
        guard path.utf8.count <= maxPathBytes, !path.isEmpty else {
            let text =
                "the socket path \(path) has \(path.utf8.count) bytes; between 1 and \(maxPathBytes) are possible"
            throw HTTPServerError(.pathTooLong, text)
        }
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let folderPath = path.hasPrefix("/") ? (folder.isEmpty ? "/" : folder) : (folder.isEmpty ? "." : folder)
        let lock = open(folderPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard lock >= 0 else {
            throw HTTPServerError(.cannotBind, "cannot open \(folderPath), the socket's folder: \(SystemError.last)")
        }
        defer { _ = systemClose(lock) }
        let clock = ContinuousClock()
        let deadline = clock.now + lockTime
        while flock(lock, LOCK_EX | LOCK_NB) != 0 {
            guard clock.now < deadline else {
                throw HTTPServerError(.cannotBind, "\(folderPath) is locked by another process for \(lockTime)")
            }
            try await clock.sleep(for: .milliseconds(10))
        }
        try removeStale(path)
        return try listen(path, mode: mode)
    }

    /// Removes the file if it is still the one that was bound.
    func remove() {
        var found = stat()
        if lstat(path, &found) == 0, found.st_dev == device, found.st_ino == inode { unlink(path) }
    }

    private static func listen(_ path: String, mode: UInt32) throws -> (descriptor: Int32, file: UnixSocketFile) {
        let descriptor = try makeSocket()
        do {
            guard withAddress(path, { systemBind(descriptor, $0, $1) }) == 0 else {
                throw HTTPServerError(.cannotBind, "cannot make the socket \(path): \(SystemError.last)")
            }
            var made = stat()
            guard chmod(path, mode_t(mode)) == 0, lstat(path, &made) == 0, systemListen(descriptor, 1024) == 0 else {
                let text = SystemError.last
                unlink(path)
                throw HTTPServerError(.cannotBind, "cannot listen on the socket \(path): \(text)")
            }
            return (descriptor, UnixSocketFile(path: path, device: made.st_dev, inode: made.st_ino))
        } catch {
            _ = systemClose(descriptor)
            throw error
        }
    }

    /// Nothing is there, or a socket on which nobody listens and which is removed; else an error.
    private static func removeStale(_ path: String) throws {
        var found = stat()
        guard lstat(path, &found) == 0 else {
            if errno == ENOENT { return }
            throw HTTPServerError(.cannotBind, "cannot look at \(path): \(SystemError.last)")
        }
        guard found.st_mode & S_IFMT == S_IFSOCK else {
            throw HTTPServerError(.notASocket, "\(path) exists and is not a socket; it was left as it is")
        }
        let descriptor = try makeSocket()
        defer { _ = systemClose(descriptor) }
        let code = withAddress(path, { systemConnect(descriptor, $0, $1) }) == 0 ? 0 : errno
        switch code {
        // EAGAIN: a live listener whose queue is full.
        case 0, EAGAIN: throw HTTPServerError(.addressInUse, "another server listens on \(path) already")
        case ECONNREFUSED:
            guard unlink(path) == 0 || errno == ENOENT else {
                throw HTTPServerError(.cannotBind, "cannot remove the stale socket \(path): \(SystemError.last)")
            }
        case ENOENT: break
        default:
            throw HTTPServerError(.cannotBind, "cannot tell if a server listens on \(path): \(SystemError.text(code))")
        }
    }

    private static func makeSocket() throws -> Int32 {
        #if os(Linux)
            let descriptor = socket(
                AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        #else
            let descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
        #endif
        guard descriptor >= 0 else { throw HTTPServerError(.cannotBind, "no socket: \(SystemError.last)") }
        return descriptor
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        // The kernel's calls take every address family as `sockaddr`; the length says what it really is.
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }
}

// The system's functions, whose names this type's own functions hide.
private func systemBind(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    bind(descriptor, address, length)
}

private func systemConnect(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    connect(descriptor, address, length)
}

private func systemListen(_ descriptor: Int32, _ backlog: Int32) -> Int32 { listen(descriptor, backlog) }

private func systemClose(_ descriptor: Int32) -> Int32 { close(descriptor) }
