import API
import HTTPTransport

/// A command that runs in a service, and its streams. Dropping it ends the command.
///
/// Nothing is buffered: `write` waits for a command that does not read, and output that is not asked for stays with the
/// command, which waits.
package struct RemoteCommand: Sendable {
    package enum Output: Sendable, Hashable {
        case stdout([UInt8])
        case stderr([UInt8])
        /// The last.
        case exited(Int32)
    }

    private let connection: ExecConnection
    private let address: HTTPAddress

    init(_ connection: ExecConnection, address: HTTPAddress) {
        self.connection = connection
        self.address = address
    }

    package func write(_ bytes: [UInt8]) async throws { try await send(.input(bytes)) }

    package func closeInput() async throws { try await send(.closeInput) }

    package func resize(columns: Int, rows: Int) async throws {
        try await send(.resize(ExecTerminalSize(clamping: columns, rows)))
    }

    /// - Throws: ``ConnectionFailure`` `.broken` where the server is gone, and the command with it.
    package func next() async throws -> Output {
        do {
            switch try await connection.receive() {
            case .output(let bytes): return .stdout(bytes)
            case .errors(let bytes): return .stderr(bytes)
            case .exitCode(let code): return .exited(code)
            case nil: throw ExecConnection.ended
            default: throw HTTPClientError(code: .malformed, message: "a message that is not the server's to send")
            }
        } catch let error as HTTPClientError {
            throw ConnectionFailure(error, address)
        } catch let failure as ExecFailure {
            throw Self.problem(failure)
        }
    }

    package func close() { connection.close() }

    private func send(_ message: ExecMessage) async throws {
        do {
            try await connection.send(message)
        } catch let error as HTTPClientError {
            throw ConnectionFailure(error, address)
        }
    }

    static func problem(_ failure: ExecFailure) -> any Error {
        if let code = failure.exitCode {
            return ProgramProblem(exitCode: code, message: failure.message, hint: failure.hint)
        }
        let status = ErrorCode(rawValue: failure.code)?.status ?? ErrorCode.internalError.status
        return APIFailure(
            status: status, error: APIError(code: failure.code, message: failure.message, hint: failure.hint))
    }
}

/// A program that cannot be started where it should run.
package struct ProgramProblem: Error, Sendable, Hashable {
    /// As a shell has it: 127 for none, 126 for one that cannot be run.
    package var exitCode: Int32
    package var message: String
    package var hint: String?
}

extension ExecTerminalSize {
    init(clamping columns: Int, _ rows: Int) {
        self.init(columns: UInt16(clamping: max(columns, 1)), rows: UInt16(clamping: max(rows, 1)))
    }
}
