import API
import APIClient
import ArgumentParser

struct EnvRestart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart",
        abstract: "Start services anew, in place.",
        discussion: """
            Their data, ports and addresses stay, and what was initialised is not initialised again. Services that are \
            not named go on undisturbed.

            EXAMPLES
              microstax env restart shop payments
              microstax env restart shop
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @Argument(help: ArgumentHelp("Which; none for all that it runs itself.", valueName: "service"))
    var services: [String] = []

    @OptionGroup var options: StateChangeOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let request = RestartRequest(services: services, dryRun: options.dryRun)
        let words = StateChange.Words(done: "restarted", failing: "restart")
        try await StateChange(targets: [environment], words: words, options: options, common: common) {
            target, client in
            try await client.restartEnvironment(target, request)
        }.run()
    }
}
