/// The wire types of the control plane's `/v1` API and the one catalogue of its operations. Client and server share
/// this module and never each other; it knows nothing of how either works.
///
/// Every reply that succeeded is a ``Reply``, every other one a ``Failure``.
package struct Reply<Body: Codable & Sendable>: Codable, Sendable {
    package var data: Body
    package var meta: ReplyMeta

    package init(data: Body, meta: ReplyMeta) {
        self.data = data
        self.meta = meta
    }
}

package struct ReplyMeta: Codable, Sendable, Hashable {
    /// `req_…`; also in the server's log.
    package var requestId: String
    /// Give it as `cursor` to get what comes next; absent on the last page.
    package var next: String?

    package init(requestId: String, next: String? = nil) {
        self.requestId = requestId
        self.next = next
    }
}

package struct Failure: Codable, Sendable, Hashable {
    package var error: APIError
    package var meta: ReplyMeta

    package init(error: APIError, meta: ReplyMeta) {
        self.error = error
        self.meta = meta
    }
}

/// What went wrong, for a person (`message`, `hint`) and for a program (`code`, `details`).
package struct APIError: Codable, Sendable, Hashable, Error {
    package var code: String
    package var message: String
    package var hint: String?
    package var details: [ErrorDetail]?

    package init(code: String, message: String, hint: String? = nil, details: [ErrorDetail]? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.details = details
    }
}

/// One detail of an error: a Blueprint's problem with its place, a conflict, or a plain line such as an overlay's name.
package struct ErrorDetail: Codable, Sendable, Hashable {
    package var message: String
    package var code: String?
    package var severity: String?
    package var file: String?
    package var line: Int?
    package var column: Int?
    package var hint: String?
    /// Of a conflict: where either side stands, and what to do about it.
    package var mine: Place?
    package var theirs: Place?
    package var wayOut: String?

    /// A place in somebody's Blueprint; lines and columns from 1.
    package struct Place: Codable, Sendable, Hashable {
        package var file: String
        package var line: Int
        package var column: Int

        package init(file: String, line: Int, column: Int) {
            self.file = file
            self.line = line
            self.column = column
        }
    }

    package init(
        message: String, code: String? = nil, severity: String? = nil, file: String? = nil, line: Int? = nil,
        column: Int? = nil, hint: String? = nil
    ) {
        self.message = message
        self.code = code
        self.severity = severity
        self.file = file
        self.line = line
        self.column = column
        self.hint = hint
    }
}

/// The stable error codes and the HTTP status that each has; a client's exit code follows from the status.
package enum ErrorCode: String, Sendable, CaseIterable {
    case invalidRequest = "invalid_request"
    case invalidBlueprint = "invalid_blueprint"
    case unauthorized
    case forbidden
    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"
    case nameTaken = "name_taken"
    case hasOverlays = "has_overlays"
    case unhealthyParent = "unhealthy_parent"
    case wrongState = "wrong_state"
    case protected
    case idempotencyKeyReused = "idempotency_key_reused"
    case conflict
    case payloadTooLarge = "payload_too_large"
    case upgradeRequired = "upgrade_required"
    case notSupportedYet = "not_supported_yet"
    case storageUnwritable = "storage_unwritable"
    case unavailable
    case internalError = "internal_error"

    package var status: Int {
        switch self {
        case .invalidRequest: 400
        case .unauthorized: 401
        case .forbidden: 403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .nameTaken, .hasOverlays, .unhealthyParent, .wrongState, .protected, .idempotencyKeyReused, .conflict:
            409
        case .payloadTooLarge: 413
        case .invalidBlueprint: 422
        case .upgradeRequired: 426
        case .internalError: 500
        case .notSupportedYet: 501
        case .storageUnwritable: 507
        case .unavailable: 503
        }
    }
}
