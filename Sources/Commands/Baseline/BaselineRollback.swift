import API
import APIClient
import ArgumentParser

struct BaselineRollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Go back to what an earlier revision of a baseline wanted.",
        discussion: """
            That becomes a new revision: nothing of the history goes away. Data stays as it is.

            EXAMPLES
              microstax baseline rollback shop --to 3 --dry-run
              microstax baseline rollback shop --to 3
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "baseline"))
    var baseline: String

    @Option(name: .long, help: ArgumentHelp("The revision to go back to.", valueName: "revision"))
    var to: Int

    @OptionGroup var options: StateChangeOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        _ = try await common.client().baseline(baseline)
        let request = RollbackRequest(revision: to, allow: options.allow, dryRun: options.dryRun)
        try await StateChange(
            targets: [baseline], words: .init(done: "rolled back", failing: "go back"), options: options,
            common: common
        ) { target, client in
            try await client.rollbackEnvironment(target, request)
        }.run()
    }
}
