import Glibc

/// Files that only grow, a record at a time.
package enum AppendedFile {
    /// Adds `bytes` in one write; where the disk takes only a part of them, that part is cut off again.
    ///
    /// - Returns: the file's size in bytes.
    /// - Throws: ``FileFailure``; what was there before is untouched.
    package static func append(_ bytes: [UInt8], to path: String, mode: mode_t = 0o600) throws(FileFailure) -> Int {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw FileFailure("write", path) }
        defer { close(descriptor) }
        let before = lseek(descriptor, 0, SEEK_END)
        guard before >= 0 else { throw FileFailure("write", path) }
        do throws(FileFailure) {
            try FileWriter(descriptor: descriptor, path: path).write(bytes)
        } catch {
            // Where even this fails, a reader finds the last record cut off.
            _ = ftruncate(descriptor, before)
            throw error
        }
        return before + bytes.count
    }
}
