import CPlatform
import Glibc
import Runtimes

/// Hands a volume's folder over to the user that its service runs as.
enum VolumeOwner {
    /// The folder and all in it, links themselves and never what they lead to. A file that has other names as well and
    /// did not belong to the folder's owner stays whose it is: that owner may have linked it here from elsewhere.
    static func give(_ path: String, to account: ServiceAccount) throws {
        do {
            try TreeWalk(path, Visitor(account: account)).run()
        } catch {
            errno = error.errno
            throw SmallFile.failure("change the owner of", error.path)
        }
    }

    private struct Visitor: TreeVisitor {
        let account: ServiceAccount
        /// Of the topmost folder.
        private var formerOwner: uid_t?

        init(account: ServiceAccount) { self.account = account }

        mutating func visit(_ name: [CChar], in folder: Int32) -> TreeStep {
            let descriptor = msx_point_at(folder, name)
            guard descriptor >= 0 else {
                return errno == ENOENT && formerOwner != nil ? .done : .failed(errno: errno)
            }
            defer { close(descriptor) }
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { return .failed(errno: errno) }
            let former = formerOwner ?? status.st_uid
            formerOwner = former
            if status.st_mode & S_IFMT == S_IFDIR { return .folder }
            if status.st_nlink > 1, status.st_uid != former { return .done }
            return msx_give(descriptor, account.uid, account.gid) == 0 ? .done : .failed(errno: errno)
        }

        func unlock(_ name: [CChar], in folder: Int32) -> Bool {
            errno = EACCES
            return false
        }

        func enter(_ folder: Int32) -> Bool { fchown(folder, account.uid, account.gid) == 0 }

        func leave(_ name: [CChar], in folder: Int32) -> TreeStep { .done }
    }
}
