import API
import Blueprints
import EnvironmentGraph
import Orchestration
import Runtimes
import Storage

/// A refusal on its way to the client. Every error of every module becomes one of these in one place: here.
package struct APIProblem: Error, Sendable {
    package let code: ErrorCode
    package let error: APIError

    package init(_ code: ErrorCode, _ message: String, hint: String? = nil, details: [ErrorDetail]? = nil) {
        self.code = code
        error = APIError(code: code.rawValue, message: message, hint: hint, details: details)
    }

    /// The status was chosen by ``ErrorCode``: 4xx the caller can mend, 409 says what conflicts, 5xx is ours or a
    /// dependency's.
    package init(_ error: any Error) {
        switch error {
        case let problem as APIProblem: self = problem
        case let error as StoreError: self.init(Self.code(of: error), error.message, hint: error.hint)
        case let error as RuntimeError:
            self.init(error.code == .notFound ? .notFound : .unavailable, error.message, hint: error.hint)
        case let error as IllegalTransition:
            self.init(.wrongState, "this cannot be done in state \(error.from.rawValue)")
        case let failure as StepFailure: self.init(.unavailable, failure.message)
        case is CancellationError: self.init(.unavailable, "the server is stopping", hint: "try again")
        default: self.init(.internalError, "unexpected: \(error)", hint: "the server's log says more")
        }
    }

    private static func code(of error: StoreError) -> ErrorCode {
        switch error.code {
        case .nameTaken: .nameTaken
        case .portTaken: .conflict
        case .unwritable: .storageUnwritable
        case .locked: .unavailable
        case .newerSchema, .corrupt, .ioError: .internalError
        }
    }
}

extension ErrorDetail {
    init(_ diagnostic: Diagnostic) {
        self.init(
            message: diagnostic.message, code: diagnostic.code, severity: diagnostic.severity.rawValue,
            file: diagnostic.file, line: diagnostic.line, column: diagnostic.column, hint: diagnostic.hint)
    }
}
