import Glibc

enum FolderListing {
    /// Names in a folder without `.` and `..`, sorted; empty where it cannot be read or `path` is a link.
    static func names(_ path: String) -> [String] {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        return (names(in: descriptor) ?? []).map {
            String(decoding: $0.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        .sorted()
    }

    /// Names in an open folder without `.` and `..`, each with its final NUL: they are bytes, not always UTF-8. `nil`
    /// with errno where it cannot be read.
    static func names(in folder: Int32) -> [[CChar]]? {
        let copy = fcntl(folder, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return nil }
        guard let stream = fdopendir(copy) else {
            close(copy)
            return nil
        }
        defer { closedir(stream) }
        // The copy shares its place with the folder, which may have been read before.
        rewinddir(stream)
        var names: [[CChar]] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { start in
                    Array(UnsafeBufferPointer(start: start, count: strlen(start) + 1))
                }
            }
            if name != [46, 0], name != [46, 46, 0] { names.append(name) }
            errno = 0
        }
        return errno == 0 ? names : nil
    }
}
