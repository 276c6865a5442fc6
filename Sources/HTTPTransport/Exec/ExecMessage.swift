import FoundationEssentials

/// The sub-protocol by which a command is run over a WebSocket, from a client to the server and from the server to where
/// the command runs.
///
/// Data is binary: a byte that names the channel (0 standard input, 1 standard output, 2 standard error), then the bytes.
/// Everything else is a text with a JSON object of exactly one key. The client begins with `start`; the server answers
/// `started`, or `error` and is done; `exitCode` is the last message.
package enum ExecMessage: Sendable, Hashable {
    package static let subprotocol = "exec.v1.microstax"
    /// Of the bytes in one data message that this side sends.
    package static let pieceBytes = 32 << 10

    // From the client.
    case start(ExecStart)
    case input([UInt8])
    case closeInput
    case resize(ExecTerminalSize)
    // From the server.
    case started
    case output([UInt8])
    case errors([UInt8])
    /// 128 + signal where a signal ended it.
    case exitCode(Int32)
    case failed(ExecFailure)

    private enum Channel: UInt8 { case input, output, errors }

    /// One key is set.
    private struct Control: Codable {
        var start: ExecStart?
        var closeInput: Bool?
        var resize: ExecTerminalSize?
        var started: Bool?
        var exitCode: Int32?
        var error: ExecFailure?
    }

    package init(_ message: WebSocketMessage) throws(ExecProtocolError) {
        switch message {
        case .binary(let bytes):
            guard let first = bytes.first, let channel = Channel(rawValue: first) else {
                throw ExecProtocolError(message: "data begins with its channel: 0, 1 or 2")
            }
            let data = Array(bytes.dropFirst())
            switch channel {
            case .input: self = .input(data)
            case .output: self = .output(data)
            case .errors: self = .errors(data)
            }
        case .text(let text):
            // The reason for which it is no such object helps nobody who can read the page of this protocol.
            guard let control = try? JSONDecoder().decode(Control.self, from: Data(text.utf8)) else {
                throw ExecProtocolError(message: "not a message of \(Self.subprotocol): \(text.prefix(200))")
            }
            self = try Self.read(control)
        }
    }

    private static func read(_ control: Control) throws(ExecProtocolError) -> ExecMessage {
        var found: [ExecMessage] = []
        if let start = control.start { found.append(.start(start)) }
        if control.closeInput != nil { found.append(.closeInput) }
        if let size = control.resize { found.append(.resize(size)) }
        if control.started != nil { found.append(.started) }
        if let code = control.exitCode { found.append(.exitCode(code)) }
        if let error = control.error { found.append(.failed(error)) }
        guard found.count == 1, let message = found.first else {
            throw ExecProtocolError(
                message: "a message has one of start, closeInput, resize, started, exitCode, error")
        }
        return message
    }

    package var message: WebSocketMessage {
        switch self {
        case .input(let bytes): .binary([Channel.input.rawValue] + bytes)
        case .output(let bytes): .binary([Channel.output.rawValue] + bytes)
        case .errors(let bytes): .binary([Channel.errors.rawValue] + bytes)
        case .start(let start): Self.text(Control(start: start))
        case .closeInput: Self.text(Control(closeInput: true))
        case .resize(let size): Self.text(Control(resize: size))
        case .started: Self.text(Control(started: true))
        case .exitCode(let code): Self.text(Control(exitCode: code))
        case .failed(let failure): Self.text(Control(error: failure))
        }
    }

    private static func text(_ control: Control) -> WebSocketMessage {
        // Strings, numbers and lists of our own types always encode.
        let bytes = (try? JSONEncoder().encode(control)) ?? Data()
        return .text(String(decoding: bytes, as: UTF8.self))
    }
}

/// What is to be run.
package struct ExecStart: Sendable, Hashable, Codable {
    /// Program and arguments.
    package var command: [String]
    /// Added to the service's own variables, and winning over them.
    package var env: [String: String]?
    /// Makes a pseudo-terminal of this size, on which standard error cannot be told from standard output; without it, three
    /// pipes.
    package var terminal: ExecTerminalSize?

    package init(command: [String], env: [String: String]? = nil, terminal: ExecTerminalSize? = nil) {
        self.command = command
        self.env = env
        self.terminal = terminal
    }
}

/// In characters.
package struct ExecTerminalSize: Sendable, Hashable, Codable {
    package var columns: UInt16
    package var rows: UInt16

    package init(columns: UInt16, rows: UInt16) {
        self.columns = columns
        self.rows = rows
    }
}

/// Why a command was not run, or was not run to its end.
package struct ExecFailure: Error, Sendable, Hashable, Codable {
    package var code: String
    package var message: String
    package var hint: String?
    /// What a shell would have ended with: 127 where there is no such program, 126 where it cannot be run.
    package var exitCode: Int32?

    package init(code: String, message: String, hint: String? = nil, exitCode: Int32? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.exitCode = exitCode
    }
}

/// The other side does not speak the sub-protocol.
package struct ExecProtocolError: Error, Sendable, Hashable, CustomStringConvertible {
    package let message: String
    package var description: String { message }
}
