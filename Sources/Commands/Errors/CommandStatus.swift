import API
import APIClient
import ArgumentParser

/// The exit codes of `microstax`, decided here and nowhere else.
package enum CommandStatus: Int32, Sendable, CaseIterable {
    case done = 0
    case failed = 1
    case notHealthy = 2
    case usage = 64
    case invalidInput = 65
    case unreachable = 69
    case internalBug = 70
    case tryAgain = 75
    case notAllowed = 77
    case interrupted = 130

    /// For the reference page.
    package var meaning: String {
        switch self {
        case .done: "done"
        case .failed: "failed: the work was done and did not succeed, or the thing named does not exist"
        case .notHealthy: "not healthy: something runs that should answer and does not, or this machine lacks something"
        case .usage: "usage: the command line is not understood"
        case .invalidInput: "invalid Blueprint or input"
        case .unreachable: "the server cannot be reached or started"
        case .internalBug: "a bug of MicroStax"
        case .tryAgain: "try again: a time limit passed, or the server cannot take work now"
        case .notAllowed: "not allowed"
        case .interrupted: "interrupted (Ctrl-C)"
        }
    }

    package init(_ failure: APIFailure) {
        guard let code = failure.code else {
            self.init(httpStatus: failure.status)
            return
        }
        self =
            switch code {
            case .invalidRequest, .invalidBlueprint, .payloadTooLarge: .invalidInput
            case .unauthorized, .forbidden: .notAllowed
            case .notFound, .nameTaken, .hasOverlays, .wrongState, .protected, .conflict: .failed
            case .unhealthyParent: .notHealthy
            case .notSupportedYet, .storageUnwritable: .failed
            case .unavailable: .tryAgain
            case .methodNotAllowed, .upgradeRequired, .idempotencyKeyReused, .internalError: .internalBug
            }
    }

    /// For an error code that a newer server has and this client does not know.
    package init(httpStatus: Int) {
        self =
            switch httpStatus {
            case 400, 413, 415, 422: .invalidInput
            case 401, 403: .notAllowed
            case 408, 425, 429, 503: .tryAgain
            case 502, 504: .unreachable
            case 501, 507: .failed
            case 500...: .internalBug
            default: .failed
            }
    }

    package init(_ failure: ConnectionFailure) {
        self = failure.kind == .timedOut ? .tryAgain : .unreachable
    }

    /// As ArgumentParser wants it.
    var code: ExitCode { ExitCode(rawValue) }
}
