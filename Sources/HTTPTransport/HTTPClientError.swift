import NIOCore
import NIOHTTP1
import NIOPosix

/// Why a call got no (complete) response. A response with a status of 400 or more is not an error here.
package struct HTTPClientError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// Nobody listens there, or this user may not connect.
        case connectRefused
        /// No socket file, or no such host.
        case notFound
        case timeout
        /// The connection ended before the response did.
        case reset
        /// The response is not HTTP/1.1, or the request given cannot be written as such.
        case malformed
        /// The response is over the limit.
        case tooLarge
    }

    package let code: Code
    package let message: String
    package var description: String { message }

    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    /// From a failed connect.
    init(connecting error: any Error, to address: HTTPAddress) {
        let place =
            switch address {
            case .unix(let path): path
            case .tcp(let host, let port): "\(host):\(port)"
            }
        if let error = error as? NIOConnectionError {
            guard let first = error.connectionErrors.first else {
                self.init(code: .notFound, message: "\(place): the host is not known")
                return
            }
            self.init(connecting: first.error, to: address)
            return
        }
        if case .some(.connectTimeout) = error as? ChannelError {
            self.init(code: .timeout, message: "\(place) did not accept the connection in time")
        } else if error is SocketAddressError {
            self.init(code: .notFound, message: "\(place) cannot be an address: \(error)")
        } else if let error = error as? IOError {
            let text = "cannot connect to \(place): \(SystemError.text(error.errnoCode))"
            switch error.errnoCode {
            case SystemError.missing: self.init(code: .notFound, message: text)
            case SystemError.timedOut, SystemError.tryAgain: self.init(code: .timeout, message: text)
            default: self.init(code: .connectRefused, message: text)
            }
        } else {
            self.init(code: .connectRefused, message: "cannot connect to \(place): \(error)")
        }
    }

    /// From a connection that was open.
    init(exchanging error: any Error) {
        switch error {
        case let error as HTTPClientError: self = error
        case HTTPParserError.invalidEOFState:
            self.init(code: .reset, message: "the connection was closed before the response was complete")
        case let error as HTTPParserError:
            self.init(code: .malformed, message: "the response is not valid HTTP/1.1: \(error)")
        case let error as IOError:
            self.init(code: .reset, message: "the connection broke: \(SystemError.text(error.errnoCode))")
        default: self.init(code: .reset, message: "the connection broke: \(error)")
        }
    }
}
