import API

/// The server understood the request and refused it.
package struct APIFailure: Error, Sendable, Hashable {
    package var status: Int
    package var error: APIError
    /// To be found in the server's log.
    package var requestId: String?

    package init(status: Int, error: APIError, requestId: String? = nil) {
        self.status = status
        self.error = error
        self.requestId = requestId
    }

    /// The catalogue's code; `nil` for one that this client does not know.
    package var code: ErrorCode? { ErrorCode(rawValue: error.code) }
}
