import Glibc

/// Writes files that a person named: whole or not at all, with the rights that they had.
enum OutputFile {
    /// A new file; what is there already is left alone, unless `replaces`.
    static func write(_ path: String, _ text: String, replaces: Bool) throws {
        if !replaces, access(path, F_OK) == 0 {
            throw CommandFailure(
                .invalidInput, "\(path.visible) is there already",
                hint: "name another file, or overwrite it with --force")
        }
        try replace(path, with: text)
    }

    /// Follows a link to what it names, so that the link stays.
    static func replace(_ path: String, with text: String) throws {
        let target =
            realpath(path, nil).map { name in
                defer { free(name) }
                return String(cString: name)
            } ?? path
        var status = stat()
        let mode = stat(target, &status) == 0 ? status.st_mode & 0o7777 : 0o644
        let beside = target + ".microstax-\(getpid())"
        let file = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure(path) }
        do {
            defer { close(file) }
            // The process's mask must not take rights that the file had.
            if status.st_ino != 0 { fchmod(file, mode) }
            try writeAll(Array(text.utf8), to: file, path)
            guard fsync(file) == 0 else { throw failure(path) }
        } catch {
            unlink(beside)
            throw error
        }
        guard rename(beside, target) == 0 else {
            let reason = failure(path)
            unlink(beside)
            throw reason
        }
    }

    private static func writeAll(_ bytes: [UInt8], to file: Int32, _ path: String) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                throw failure(path)
            }
        }
    }

    private static func failure(_ path: String) -> CommandFailure {
        CommandFailure(.failed, "cannot write \(path.visible): \(String(cString: strerror(errno)))")
    }
}
