import APIClient
import ArgumentParser

/// The options that every command has.
struct CommonOptions: ParsableArguments {
    @Option(name: [.short, .long], help: ArgumentHelp("How to write the result.", valueName: "table|json|yaml"))
    var output: OutputFormat = .table

    @Flag(name: .long, help: "Only ids, and no progress.")
    var quiet = false

    @Option(name: .long, help: ArgumentHelp("Longest time to take, such as 90s, 5m or 1h.", valueName: "duration"))
    var timeout: TimeLimit?

    @Option(name: .long, help: ArgumentHelp("A saved context (not supported yet).", valueName: "name"))
    var context: String?

    mutating func validate() throws {
        if context != nil {
            throw ValidationError(
                "not_supported_yet: --context; set MICROSTAX_API_URL and MICROSTAX_API_KEY to reach another server")
        }
    }

    /// Writes a result to stdout: `ids` with `--quiet`, else in the format asked for.
    func show(_ value: some Encodable, ids: [String], table: () -> String) throws {
        if quiet {
            Terminal.write(ids.map { $0.visible + "\n" }.joined())
        } else {
            Terminal.write(try output.written(value, table: table))
        }
    }

    /// A line about progress, on stderr; nothing with `--quiet`.
    func note(_ text: String) {
        if !quiet { Terminal.write(text + "\n", to: .errors) }
    }

    /// Starts the local server again where it does not run any more; `nil` for a server elsewhere.
    func reviver() throws -> (@Sendable () async throws -> Void)? {
        guard case .local(let folder) = try ServerLocation(environment: Terminal.environment) else { return nil }
        return { try await LocalServer(folder: folder).revive() }
    }

    /// A client for the server there is; the local one is started where it does not run.
    ///
    /// - Parameter starting: `false` for a command that must not start a server.
    func client(starting: Bool = true) throws -> APIClient {
        let limit = timeout?.duration ?? .seconds(30)
        switch try ServerLocation(environment: Terminal.environment) {
        case .remote(let address, let token):
            return APIClient(address: address, token: token, timeout: limit)
        case .local(let folder):
            if starting {
                let tells = !quiet && Terminal.isTerminal(.errors)
                try LocalServer(folder: folder).ensureRunning {
                    if tells { Terminal.write("starting the local server …\n", to: .errors) }
                }
            }
            return APIClient(local: folder, timeout: limit)
        }
    }
}
