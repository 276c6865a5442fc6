import APIClient

/// Joins this process's streams, and its terminal where it has one, to a command that runs in a service.
struct ExecRun: Sendable {
    let client: APIClient
    let environment: String
    let service: String
    let command: [String]
    let env: [String: String]
    let passesInput: Bool
    let hasTerminal: Bool

    /// The command's exit code.
    func run() async throws -> Int32 {
        var env = env
        if hasTerminal, env["TERM"] == nil { env["TERM"] = Terminal.environment["TERM"] }
        let remote = try await client.exec(
            command, in: service, of: environment, env: env, terminal: hasTerminal ? LocalTerminal.size : nil)
        // Only now, so that what goes wrong before is said on a usual terminal.
        if hasTerminal { LocalTerminal.enterRaw() }
        defer { LocalTerminal.restore() }
        let input = LocalInput(reads: passesInput, watchesSize: hasTerminal)
        return try await withThrowingTaskGroup(of: Int32?.self) { group in
            group.addTask {
                await forward(input, to: remote)
                return nil
            }
            group.addTask {
                do {
                    return try await show(remote)
                } catch let failure as ConnectionFailure where failure.kind == .broken {
                    throw CommandFailure(
                        CommandStatus(failure),
                        "the connection to the server at \(failure.server) broke; the command was ended with it",
                        causes: [failure.message], hint: "start the command again where that does no harm")
                }
            }
            defer {
                remote.close()
                group.cancelAll()
            }
            while let code = try await group.next() {
                if let code { return code }
            }
            throw CancellationError()
        }
    }

    /// Ends quietly where the command is gone: how it ended comes the other way.
    private func forward(_ input: LocalInput, to remote: RemoteCommand) async {
        do {
            if !passesInput { try await remote.closeInput() }
            while let event = await input.next() {
                switch event {
                case .bytes(let bytes): try await remote.write(bytes)
                case .end: try await remote.closeInput()
                case .resized:
                    let size = LocalTerminal.size
                    try await remote.resize(columns: size.columns, rows: size.rows)
                }
            }
        } catch {
            // As above.
        }
    }

    private func show(_ remote: RemoteCommand) async throws -> Int32 {
        let output = LocalOutput()
        while true {
            switch try await remote.next() {
            case .stdout(let bytes): await output.write(bytes, to: .output)
            case .stderr(let bytes): await output.write(bytes, to: .errors)
            case .exited(let code): return code
            }
        }
    }
}
