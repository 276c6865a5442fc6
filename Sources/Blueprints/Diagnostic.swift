/// One problem of a Blueprint, at the place where it stands. A run reports all of them, sorted by position.
package struct Diagnostic: Sendable, Hashable, Codable, Error {
    package enum Severity: String, Sendable, Hashable, Codable {
        case error, warning
    }

    package var severity: Severity
    /// Stable, for programs: `unknown_key`, `not_supported_yet`, `dependency_cycle`, …
    package var code: String
    package var message: String
    package var file: String
    /// From 1; 0 where the problem has no place (a missing file).
    package var line: Int
    /// From 1, in characters; 0 where the problem has no place.
    package var column: Int
    /// What to type or write instead.
    package var hint: String?

    package init(
        _ severity: Severity, code: String, message: String, file: String, line: Int, column: Int, hint: String? = nil
    ) {
        self.severity = severity
        self.code = code
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.hint = hint
    }
}
