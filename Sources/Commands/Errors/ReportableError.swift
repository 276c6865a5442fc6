/// An error of another module that says itself how a command that it ends is to end. The composition root conforms the
/// server's own errors to it, which this module does not know.
package protocol ReportableError: Error {
    var commandFailure: CommandFailure { get }
}
