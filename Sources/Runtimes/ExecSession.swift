import EnvironmentGraph

/// A command that is run while somebody watches.
package struct ExecCommand: Sendable, Hashable, Codable {
    /// Program and arguments.
    package var command: [String]
    /// Wins over the service's own environment.
    package var extraEnv: [String: String]
    /// A pseudo-terminal of this size, as the command's controlling terminal, on which standard error is part of
    /// standard output; `nil` for three pipes.
    package var terminal: TerminalSize?

    package init(_ command: [String], extraEnv: [String: String] = [:], terminal: TerminalSize? = nil) {
        self.command = command
        self.extraEnv = extraEnv
        self.terminal = terminal
    }
}

/// In characters.
package struct TerminalSize: Sendable, Hashable, Codable {
    package var columns: UInt16
    package var rows: UInt16

    package init(columns: UInt16, rows: UInt16) {
        self.columns = columns
        self.rows = rows
    }
}

package enum ExecOutput: Sendable, Hashable {
    case stdout([UInt8])
    case stderr([UInt8])
    /// The last: 128 + signal where a signal ended it.
    case exited(Int32)
}

/// A command that runs, and its streams. Memory stays bounded whatever either side does: output that nobody asks for is
/// left with the command, which waits, and `write` waits for a command that does not read.
package protocol ExecSession: Sendable {
    /// Returns when the bytes were taken. Bytes for a command that has closed its input are thrown away.
    func write(_ bytes: [UInt8]) async throws

    /// The command reads the end of its input after what was written before; on a terminal that is its end-of-file
    /// character. Repeating it does nothing.
    func closeInput() async throws

    /// Changes the terminal's size and tells the command (SIGWINCH); nothing happens without a terminal.
    func resize(_ size: TerminalSize) async throws

    /// What the command wrote next; `nil` after its exit. One caller at a time.
    ///
    /// - Throws: ``RuntimeError`` `unavailable` when the command was ended together with what ran it.
    func next() async throws -> ExecOutput?

    /// Ends the command and everything that it started: SIGHUP and SIGTERM, then SIGKILL. Returns without waiting for it;
    /// ``next()`` gives the end. Repeating it, or after the end, does nothing. Dropping a session does the same.
    func cancel() async
}

extension Runtime {
    /// For a runtime that cannot.
    package func exec(_ command: ExecCommand, in service: String, of environment: EnvironmentID) async throws
        -> any ExecSession
    {
        throw RuntimeError(.unavailable, "not_supported_yet: this runtime runs no commands interactively")
    }
}
