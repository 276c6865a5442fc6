import ArgumentParser
import Glibc
import ProcessRuntime

/// `microstax supervise`: keeps one environment's processes; started by the process runtime, never by a person.
struct SuperviseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supervise", abstract: "Keep one environment's processes (started by the server).",
        shouldDisplay: false)

    @Argument(parsing: .captureForPassthrough)
    var arguments: [String] = []

    func run() async throws {
        Glibc.exit(await SupervisorProcess.run(arguments))
    }
}
