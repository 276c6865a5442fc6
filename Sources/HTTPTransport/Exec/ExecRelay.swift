/// A command that runs, as ``ExecRelay`` needs it.
package struct ExecEndpoint: Sendable {
    package enum Output: Sendable {
        case output([UInt8])
        case errors([UInt8])
        case exitCode(Int32)
    }

    /// Returns when the bytes were taken; bytes for a command that reads no more are thrown away.
    package var write: @Sendable ([UInt8]) async throws -> Void
    package var closeInput: @Sendable () async throws -> Void
    package var resize: @Sendable (ExecTerminalSize) async throws -> Void
    /// `nil` after the exit code.
    package var next: @Sendable () async throws -> Output?
    /// Ends the command and what it started.
    package var cancel: @Sendable () async -> Void

    package init(
        write: @escaping @Sendable ([UInt8]) async throws -> Void,
        closeInput: @escaping @Sendable () async throws -> Void,
        resize: @escaping @Sendable (ExecTerminalSize) async throws -> Void,
        next: @escaping @Sendable () async throws -> Output?, cancel: @escaping @Sendable () async -> Void
    ) {
        self.write = write
        self.closeInput = closeInput
        self.resize = resize
        self.next = next
        self.cancel = cancel
    }
}

/// The server's side of ``ExecMessage``'s protocol: between a WebSocket and a command.
///
/// Nothing is buffered here: a message is read when the one before it was taken, an output when the one before it was
/// sent. The command is ended when the client is gone, however busy either direction is.
package struct ExecRelay: Sendable {
    /// How long a client may take to say what is to be run.
    private static let startTime = Duration.seconds(15)

    private let socket: WebSocket
    private let start: @Sendable (ExecStart) async throws -> ExecEndpoint
    private let failure: @Sendable (any Error) -> ExecFailure

    /// - Parameters:
    ///   - start: starts the command.
    ///   - failure: says in the client's words what went wrong.
    package init(
        _ socket: WebSocket, start: @escaping @Sendable (ExecStart) async throws -> ExecEndpoint,
        failure: @escaping @Sendable (any Error) -> ExecFailure
    ) {
        self.socket = socket
        self.start = start
        self.failure = failure
    }

    /// Returns when the command has ended and the client knows, or when the client is gone and the command is being ended.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await socket.untilClosed() }
            group.addTask { await session() }
            await group.next()
            group.cancelAll()
        }
    }

    private func session() async {
        do {
            guard let wish = try await firstMessage() else { return }
            let endpoint = try await start(wish)
            do {
                try await socket.send(ExecMessage.started.message)
                try await relay(endpoint)
            } catch {
                await endpoint.cancel()
                throw error
            }
            await endpoint.cancel()
        } catch is CancellationError {
            // The client is gone, or the server stops: the connection's end says it.
        } catch is WebSocketBroken {
            // As above.
        } catch let error as ExecProtocolError {
            await tell(ExecFailure(code: "invalid_request", message: error.message))
        } catch {
            await tell(failure(error))
        }
    }

    private func tell(_ failure: ExecFailure) async {
        // Nobody is left to be told.
        try? await socket.send(ExecMessage.failed(failure).message)
    }

    /// `nil` where the client closed instead.
    private func firstMessage() async throws -> ExecStart? {
        try await withThrowingTaskGroup(of: WebSocketMessage?.self) { group in
            group.addTask { try await socket.receive() }
            group.addTask {
                try await Task.sleep(for: Self.startTime)
                throw ExecProtocolError(message: "no start came within \(Self.startTime)")
            }
            defer { group.cancelAll() }
            guard let message = try await group.next() ?? nil else { return nil }
            guard case .start(let start) = try ExecMessage(message) else {
                throw ExecProtocolError(message: "the first message is start")
            }
            return start
        }
    }

    private func relay(_ endpoint: ExecEndpoint) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await input(endpoint)
                return false
            }
            group.addTask {
                try await output(endpoint)
                return true
            }
            defer { group.cancelAll() }
            // The end of the input is not the end: the command's exit is, and the client's leaving.
            while let isOver = try await group.next(), !isOver {}
        }
    }

    private func input(_ endpoint: ExecEndpoint) async throws {
        while let message = try await socket.receive() {
            switch try ExecMessage(message) {
            case .input(let bytes): try await endpoint.write(bytes)
            case .closeInput: try await endpoint.closeInput()
            case .resize(let size): try await endpoint.resize(size)
            default: throw ExecProtocolError(message: "this message is not the client's to send")
            }
        }
        throw CancellationError()
    }

    private func output(_ endpoint: ExecEndpoint) async throws {
        while let output = try await endpoint.next() {
            switch output {
            case .output(let bytes): try await socket.send(ExecMessage.output(bytes).message)
            case .errors(let bytes): try await socket.send(ExecMessage.errors(bytes).message)
            case .exitCode(let code): return try await socket.send(ExecMessage.exitCode(code).message)
            }
        }
    }
}
