/// What a command ends with when it cannot do what it was asked: printed as `error:`, `cause:`, `hint:` on stderr.
package struct CommandFailure: Error, Sendable, Hashable {
    package var status: CommandStatus
    /// What happened. Empty where the result itself says all, such as an unhealthy environment's status.
    package var message: String
    /// Why, from the nearest cause to the farthest; may have several lines each.
    package var causes: [String]
    /// The next command to type.
    package var hint: String?
    /// Printed above the error: one line for each problem of a file.
    package var details: [String]

    package init(
        _ status: CommandStatus, _ message: String, causes: [String] = [], hint: String? = nil, details: [String] = []
    ) {
        self.status = status
        self.message = message
        self.causes = causes
        self.hint = hint
        self.details = details
    }

    /// Ends with `status` and prints nothing more.
    static func silent(_ status: CommandStatus) -> Self { Self(status, "") }
}
