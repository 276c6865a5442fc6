import API
import APIClient
import ArgumentParser

struct EnvScale: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale",
        abstract: "Set how many copies of services run.",
        discussion: """
            The gateway lets the copies that are ready take turns. 0 stops a service. A service that keeps data in a volume
            cannot have several copies. The next `env update` goes by its Blueprint again.

            EXAMPLES
              microstax env scale shop payments=3
              microstax env scale shop payments=0 orders=2
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @Argument(help: ArgumentHelp("Copies by service.", valueName: "service=n"))
    var replicas: [String]

    @OptionGroup var options: StateChangeOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        var counts: [String: Int] = [:]
        for text in replicas {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let count = Int(parts[1]), count >= 0 else {
                throw CommandFailure(
                    .usage, "`\(text)` is not of the form <service>=<copies>",
                    hint: "such as `microstax env scale \(environment) payments=2`")
            }
            counts[parts[0]] = count
        }
        let request = ScaleRequest(replicas: counts, dryRun: options.dryRun)
        let words = StateChange.Words(done: "scaled", failing: "scale")
        try await StateChange(targets: [environment], words: words, options: options, common: common) {
            target, client in
            try await client.scaleEnvironment(target, request)
        }.run()
    }
}
