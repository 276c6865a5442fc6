/// Why a server could not be started.
package struct HTTPServerError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// A live server listens there already.
        case addressInUse
        /// Longer than `sockaddr_un` has room for.
        case pathTooLong
        /// The path names something that is not a socket; it is left alone.
        case notASocket
        /// The folder is missing, permission is denied, the host is not known, …: the message says.
        case cannotBind
    }

    package let code: Code
    package let message: String
    package var description: String { message }

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
