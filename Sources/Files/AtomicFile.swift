import Glibc

/// Files that are there whole or not at all.
///
/// A reader, also one that comes after a crash, sees the old content or the new one, never a part: the content is written
/// aside (`<path>.new`), synced, renamed over the old file, and the folder is synced, without which the rename itself may
/// be lost in a power cut. One writer at a time for each path; whoever calls sees to that.
///
/// This module knows bytes and paths; what a file means, and what to do about a failure, is its callers'.
package enum AtomicFile {
    /// Replaces the file at `path`.
    ///
    /// - Parameters:
    ///   - mode: of the new file.
    ///   - durably: returns only when the new content survives a power cut. Without it, it survives the end of every
    ///     process.
    /// - Throws: ``FileFailure``; the old content is then untouched, and nothing stays beside it.
    package static func write(
        _ bytes: some Sequence<UInt8>, to path: String, mode: mode_t = 0o600, durably: Bool = true
    ) throws(FileFailure) {
        try replace(path, mode: mode, durably: durably) { (file) throws(FileFailure) in try file.write(Array(bytes)) }
    }

    /// ``write(_:to:mode:durably:)`` for content that comes in pieces and need not fit into memory.
    package static func replace(
        _ path: String, mode: mode_t = 0o600, durably: Bool = true, _ fill: (FileWriter) throws(FileFailure) -> Void
    ) throws(FileFailure) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw FileFailure("write", temporary) }
        do throws(FileFailure) {
            defer { close(descriptor) }
            try fill(FileWriter(descriptor: descriptor, path: temporary))
            if durably, fsync(descriptor) != 0 { throw FileFailure("write", temporary) }
        } catch {
            unlink(temporary)
            throw error
        }
        CrashPoint.pass("before a file is replaced")
        guard rename(temporary, path) == 0 else {
            let failure = FileFailure("replace", path)
            unlink(temporary)
            throw failure
        }
        CrashPoint.pass("after a file was replaced")
        if durably { try syncFolder(of: path) }
    }

    /// Makes what was created, renamed or removed in the folder of `path` survive a power cut.
    package static func syncFolder(of path: String) throws(FileFailure) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure("open the folder", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFailure("sync the folder", folder) }
    }
}

/// Where the content of a file that is being written goes, piece by piece.
package struct FileWriter {
    let descriptor: Int32
    let path: String

    package func write(_ bytes: [UInt8]) throws(FileFailure) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { rest in
                Glibc.write(descriptor, rest.baseAddress.map { $0 + done }, rest.count - done)
            }
            if count < 0, errno == EINTR { continue }
            // A disk that is full can also take a part, or nothing and no error.
            if count == 0 { throw FileFailure("write", path, code: ENOSPC) }
            guard count > 0 else { throw FileFailure("write", path) }
            done += count
        }
    }
}
