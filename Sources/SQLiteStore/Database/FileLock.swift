import Foundation
import Storage

/// Keeps other processes, and a second store in this one, away from a database for as long as it lives.
///
/// A file of its own: closing any descriptor of the database itself would drop the locks that SQLite holds on it. The
/// kernel frees the lock of a process that is killed. The file stays, so that nobody locks one that is being removed.
final class FileLock: Sendable {
    private let descriptor: Int32

    init(path: String, guarding database: String) throws(StoreError) {
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard opened >= 0 else { throw StoreError.fromSystem(errno, "cannot create the lock \(path)", path: database) }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            Foundation.close(opened)
            guard reason == EWOULDBLOCK else {
                throw StoreError.fromSystem(reason, "cannot lock \(path)", path: database)
            }
            throw StoreError.locked(database)
        }
        // Last: a class whose properties are all set is deinitialised when its init throws, which would close twice.
        descriptor = opened
    }

    deinit {
        // Unlocked by hand: a process that is just being started may still hold a copy of the descriptor.
        _ = flock(descriptor, LOCK_UN)
        Foundation.close(descriptor)
    }
}
