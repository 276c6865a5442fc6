import HTTPTransport
import Runtimes

/// A command under a supervisor, as the server sees it.
struct RemoteExec: ExecSession {
    private let connection: ExecConnection
    private let hasExited = OneWayFlag()

    init(connection: ExecConnection) { self.connection = connection }

    func write(_ bytes: [UInt8]) async throws { try await send(.input(bytes)) }

    func closeInput() async throws { try await send(.closeInput) }

    func resize(_ size: TerminalSize) async throws {
        try await send(.resize(ExecTerminalSize(columns: size.columns, rows: size.rows)))
    }

    func next() async throws -> ExecOutput? {
        guard !hasExited.isSet else { return nil }
        do {
            switch try await connection.receive() {
            case .output(let bytes): return .stdout(bytes)
            case .errors(let bytes): return .stderr(bytes)
            case .exitCode(let code):
                hasExited.set()
                return .exited(code)
            case nil: throw ExecConnection.ended
            default: throw RuntimeError(.unavailable, "the supervisor and its server do not understand each other")
            }
        } catch let error as HTTPClientError {
            throw RuntimeError(.unavailable, "the command was ended with its supervisor: \(error.message)")
        } catch let failure as ExecFailure {
            throw RuntimeError(failure)
        }
    }

    func cancel() async { connection.close() }

    private func send(_ message: ExecMessage) async throws {
        do {
            try await connection.send(message)
        } catch is HTTPClientError {
            // It has ended; `next` says how.
        }
    }
}

extension RuntimeError {
    init(_ failure: ExecFailure) {
        self.init(Code(rawValue: failure.code) ?? .unavailable, failure.message, hint: failure.hint)
    }
}
