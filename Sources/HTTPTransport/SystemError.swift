#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The few `errno` values that this module tells apart.
enum SystemError {
    static let addressInUse = EADDRINUSE
    static let refused = ECONNREFUSED
    static let missing = ENOENT
    static let tryAgain = EAGAIN
    static let denied = EACCES
    static let timedOut = ETIMEDOUT

    /// The text of the calling thread's last error.
    static var last: String { text(errno) }

    static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}
