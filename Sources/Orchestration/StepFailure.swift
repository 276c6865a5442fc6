/// Why a step did not succeed, for the person who waits for it.
package struct StepFailure: Error, Sendable, CustomStringConvertible {
    package let message: String
    /// The effect may or may not have happened; repeating it could do it twice.
    package let outcomeUnknown: Bool

    package init(_ message: String, outcomeUnknown: Bool = false) {
        self.message = message
        self.outcomeUnknown = outcomeUnknown
    }

    package var description: String { message }
}
