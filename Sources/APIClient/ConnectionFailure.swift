import HTTPTransport

/// No answer, or none of the API's form.
package struct ConnectionFailure: Error, Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        /// Nobody listens there.
        case notRunning
        case timedOut
        /// The connection ended before the answer did.
        case broken
        /// Somebody answered who is no server of ours, or one of another version.
        case malformed
        /// The local server could not be started.
        case cannotStart
    }

    package var kind: Kind
    /// Such as `/home/me/.local/state/microstax/server.sock` or `127.0.0.1:8080`.
    package var server: String
    package var message: String

    package init(_ kind: Kind, server: String, _ message: String) {
        self.kind = kind
        self.server = server
        self.message = message
    }

    init(_ kind: Kind, _ address: HTTPAddress, _ message: String) {
        self.init(kind, server: address.written, message)
    }

    init(_ error: HTTPClientError, _ address: HTTPAddress) {
        let kind: Kind =
            switch error.code {
            case .connectRefused, .notFound: .notRunning
            case .timeout: .timedOut
            case .reset: .broken
            case .malformed, .tooLarge: .malformed
            }
        self.init(kind, address, error.message)
    }
}

extension HTTPAddress {
    /// For messages.
    package var written: String {
        switch self {
        case .unix(let path): path
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }
}
