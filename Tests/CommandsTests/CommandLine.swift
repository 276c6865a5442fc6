import API
import ArgumentParser
import HTTPTransport
import Synchronization

@testable import Commands

/// The root as the composition root makes it, with the client's commands only.
struct TestRoot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "microstax", abstract: "Environments for every change.", version: productVersion,
        subcommands: ClientCommands.subcommands)
}

/// One command line run in this process, with what it printed.
struct CommandRun: Sendable {
    var status: Int32
    var output: String
    var errors: String

    static func run(_ arguments: [String], environment: [String: String] = [:]) async -> CommandRun {
        let printed = Mutex<(output: String, errors: String)>(("", ""))
        let status = await Terminal.$environment.withValue(environment) {
            await Terminal.$capture.withValue({ text, stream in
                printed.withLock { if stream == .output { $0.output += text } else { $0.errors += text } }
            }) {
                await ClientCommands.run(TestRoot.self, arguments)
            }
        }
        return printed.withLock { CommandRun(status: status, output: $0.output, errors: $0.errors) }
    }

    static func run(_ arguments: String..., at server: HTTPAddress) async -> CommandRun {
        await run(arguments, environment: ["MICROSTAX_API_URL": server.url])
    }
}
