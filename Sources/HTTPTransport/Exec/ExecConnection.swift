/// The client's side of ``ExecMessage``'s protocol. Dropping it closes the connection, which ends the command.
package struct ExecConnection: Sendable {
    private let socket: WebSocket

    /// Says what is to be run and waits until it runs.
    ///
    /// - Throws: ``ExecFailure`` where it does not run, ``HTTPClientError`` where nobody says.
    package init(_ socket: WebSocket, _ start: ExecStart) async throws {
        self.socket = socket
        try await send(.start(start))
        guard let first = try await receive() else { throw Self.ended }
        guard case .started = first else {
            throw HTTPClientError(code: .malformed, message: "the command's first message is neither started nor error")
        }
    }

    /// Returns when the kernel took it. The bytes of an input are sent in pieces.
    package func send(_ message: ExecMessage) async throws {
        do {
            guard case .input(let bytes) = message, bytes.count > ExecMessage.pieceBytes else {
                return try await socket.send(message.message)
            }
            var rest = bytes[...]
            while !rest.isEmpty {
                try await socket.send(ExecMessage.input(Array(rest.prefix(ExecMessage.pieceBytes))).message)
                rest = rest.dropFirst(ExecMessage.pieceBytes)
            }
        } catch let error as WebSocketBroken {
            throw HTTPClientError(code: .reset, message: error.message)
        }
    }

    /// The next message; `nil` where the other side closed without an exit code.
    ///
    /// - Throws: ``ExecFailure`` where the command failed in another way than by its exit code.
    package func receive() async throws -> ExecMessage? {
        do {
            guard let message = try await socket.receive() else { return nil }
            let read = try ExecMessage(message)
            if case .failed(let failure) = read { throw failure }
            return read
        } catch let error as WebSocketBroken {
            throw HTTPClientError(code: .reset, message: error.message)
        } catch let error as ExecProtocolError {
            throw HTTPClientError(code: .malformed, message: error.message)
        }
    }

    /// The other side closed before the command had ended.
    package static let ended = HTTPClientError(
        code: .reset, message: "the connection was closed before the command ended")

    /// Ends the connection, and with it the command where it still runs.
    package func close() { socket.abort() }
}
