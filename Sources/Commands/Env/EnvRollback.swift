import API
import APIClient
import ArgumentParser

struct EnvRollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Go back to what an earlier revision wanted.",
        discussion: """
            That becomes a new revision: nothing of the history goes away, and a rollback can be rolled back. Data stays as it
            is. An overlay goes back to the revision of its parent that it stood on.

            EXAMPLES
              microstax env rollback shop --to 3 --dry-run
              microstax env rollback shop --to 3
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @Option(name: .long, help: ArgumentHelp("The revision to go back to.", valueName: "revision"))
    var to: Int

    @OptionGroup var options: StateChangeOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let request = RollbackRequest(revision: to, allow: options.allow, dryRun: options.dryRun)
        try await StateChange(
            targets: [environment], words: .init(done: "rolled back", failing: "go back"), options: options,
            common: common
        ) { target, client in
            try await client.rollbackEnvironment(target, request)
        }.run()
    }
}
