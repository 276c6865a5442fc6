import Glibc

/// A system call on a file that failed.
package struct FileFailure: Error, CustomStringConvertible, Sendable {
    /// What was tried, such as `write`.
    package let verb: String
    package let path: String
    /// `errno`.
    package let code: Int32

    /// From `errno`, which must be read before anything else changes it.
    package init(_ verb: String, _ path: String, code: Int32 = errno) {
        self.verb = verb
        self.path = path
        self.code = code
    }

    /// `No space left on device`.
    package var reason: String { String(cString: strerror(code)) }

    package var description: String { "cannot \(verb) \(path): \(reason)" }

    /// Room is what is missing: on the disk, in a quota, or below the limit for one file.
    package var isFull: Bool { [ENOSPC, EDQUOT, EFBIG].contains(code) }
}
