import CPlatform
import Glibc
import Runtimes

/// Removes a folder with all in it: read-only folders too, links themselves and never what they lead to, however deep
/// it is and whoever changes it meanwhile. Takes as long as there are files, so it is not for Swift's threads.
enum FolderRemoval {
    static func remove(_ path: String) throws {
        do {
            try TreeWalk(path, Visitor()).run()
        } catch {
            if error.path == path, error.errno == ENOENT || error.errno == ENOTDIR { return }
            throw RuntimeError(
                .leftOver, "cannot remove \(error.path): \(String(cString: strerror(error.errno)))",
                hint: "ls -la \(error.path)")
        }
    }

    private struct Visitor: TreeVisitor {
        func visit(_ name: [CChar], in folder: Int32) -> TreeStep {
            if unlinkat(folder, name, 0) == 0 { return .done }
            switch errno {
            case ENOENT: return .done
            case EISDIR: return .folder
            case EPERM, EACCES:
                // POSIX lets a file system answer this for a folder.
                let code = errno
                var status = stat()
                let isFolder =
                    fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_mode & S_IFMT == S_IFDIR
                return isFolder ? .folder : .failed(errno: code)
            default: return .failed(errno: errno)
            }
        }

        func unlock(_ name: [CChar], in folder: Int32) -> Bool {
            let descriptor = msx_point_at(folder, name)
            guard descriptor >= 0 else { return false }
            defer { close(descriptor) }
            var status = stat()
            guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
                errno = ENOTDIR
                return false
            }
            // Leads to this very folder, whatever has its name by now.
            return chmod("/proc/self/fd/\(descriptor)", 0o700) == 0
        }

        func enter(_ folder: Int32) -> Bool {
            var status = stat()
            guard fstat(folder, &status) == 0 else { return false }
            // Where that is not allowed, removing what is in it tells.
            if status.st_mode & 0o700 != 0o700 { fchmod(folder, 0o700) }
            return true
        }

        func leave(_ name: [CChar], in folder: Int32) -> TreeStep {
            if unlinkat(folder, name, AT_REMOVEDIR) == 0 { return .done }
            switch errno {
            case ENOENT: return .done
            case ENOTEMPTY, EEXIST: return .folder
            default: return .failed(errno: errno)
            }
        }
    }
}
