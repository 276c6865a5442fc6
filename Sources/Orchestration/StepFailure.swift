import Runtimes
import Storage

/// Why a step did not succeed, for the person who waits for it.
package struct StepFailure: Error, Sendable, CustomStringConvertible {
    package let message: String
    /// The effect may or may not have happened; repeating it could do it twice.
    package let outcomeUnknown: Bool
    /// It may pass by itself: the step is tried again.
    package let isTransient: Bool

    package init(_ message: String, outcomeUnknown: Bool = false, isTransient: Bool = false) {
        self.message = message
        self.outcomeUnknown = outcomeUnknown
        self.isTransient = isTransient
    }

    /// What a step threw. What nobody foresaw is taken for something that may pass: a step may be repeated, and its
    /// attempts are bounded.
    init(_ error: any Error) {
        switch error {
        case let failure as StepFailure: self = failure
        case let error as RuntimeError: self.init(error.message, isTransient: error.code != .invalidWorkload)
        default: self.init("\(error)", isTransient: true)
        }
    }

    package var description: String { message }
}
