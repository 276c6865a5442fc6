import HTTPTransport
import Runtimes

/// The part of the control socket that runs commands while somebody watches: ``ExecMessage``'s protocol.
struct ExecControl: Sendable {
    let supervisor: Supervisor
    let service: String

    var response: HTTPResponse {
        .webSocket(
            WebSocketUpgrade(subprotocol: ExecMessage.subprotocol) { socket in
                // It is ending: the server asks the next one.
                _ = try? await supervisor.counted { await run(socket) }
            })
    }

    private func run(_ socket: WebSocket) async {
        await ExecRelay(socket) { start in
            try await supervisor.exec(
                ExecCommand(
                    start.command, extraEnv: start.env ?? [:],
                    terminal: start.terminal.map { TerminalSize(columns: $0.columns, rows: $0.rows) }), in: service)
        } failure: { error in
            let error = error as? RuntimeError ?? RuntimeError(.unavailable, "\(error)")
            return ExecFailure(code: error.code.rawValue, message: error.message, hint: error.hint)
        }.run()
    }
}
