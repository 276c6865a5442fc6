import Blueprints
import Glibc

/// Looks through a folder for what a Blueprint can be drafted from: no links, so many levels, so many entries.
enum FolderWalk {
    static let maxDepth = 6
    static let maxEntries = 10_000
    static let maxFiles = 300
    static let maxBytes = 256 << 10

    /// Of a name in its entry; the type has one.
    private static let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 19

    struct Found {
        var files: [DiscoveredFile] = []
        /// A limit was reached.
        var isCut = false
        fileprivate var entries = 0
    }

    /// - Parameter folder: absolute; itself it may be a link.
    static func files(in folder: String) throws -> Found {
        var found = Found()
        guard let root = opendir(folder) else {
            throw CommandFailure(
                .invalidInput, "cannot read the folder \(folder.visible): \(String(cString: strerror(errno)))")
        }
        closedir(root)
        walk(folder, "", 0, &found)
        return found
    }

    /// Files of a folder before its folders, both by name, so that the outcome is always the same.
    private static func walk(_ folder: String, _ relative: String, _ depth: Int, _ found: inout Found) {
        guard let handle = opendir(folder) else { return }
        var names: [(name: String, isFolder: Bool)] = []
        while let entry = readdir(handle) {
            found.entries += 1
            guard found.entries <= maxEntries else {
                found.isCut = true
                break
            }
            // Entries are shorter than their type says, so the name is read where it stands, not copied with the entry.
            let name = String(
                cString: UnsafeRawPointer(entry).advanced(by: nameOffset).assumingMemoryBound(to: CChar.self))
            var status = stat()
            guard name != ".", name != "..", lstat(folder + "/" + name, &status) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFREG: if Blueprint.canDiscover(file: name) { names.append((name, false)) }
            case S_IFDIR: if Blueprint.canDiscover(folder: name) { names.append((name, true)) }
            default: break
            }
        }
        closedir(handle)
        names.sort { ($0.isFolder ? 1 : 0, $0.name) < ($1.isFolder ? 1 : 0, $1.name) }
        for (name, isFolder) in names {
            let path = relative.isEmpty ? name : relative + "/" + name
            if isFolder {
                if depth + 1 < maxDepth {
                    walk(folder + "/" + name, path, depth + 1, &found)
                } else {
                    found.isCut = true
                }
            } else if found.files.count < maxFiles {
                // Between looking and opening it may have become something else; then it is passed over.
                guard let bytes = read(folder + "/" + name) else { continue }
                found.files.append(DiscoveredFile(path: path, bytes: bytes))
            } else {
                found.isCut = true
            }
        }
    }

    private static func read(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: maxBytes)
        var count = 0
        while count < maxBytes {
            let more = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(file, buffer.baseAddress?.advanced(by: count), maxBytes - count)
            }
            if more == 0 { break }
            if more < 0 { if errno == EINTR { continue } else { return nil } }
            count += more
        }
        return Array(bytes.prefix(count))
    }
}
