import API
import APIClient
import ArgumentParser

struct EnvExecutions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "executions",
        abstract: "List what was done to an environment: creates, updates, stops, and how each ended.",
        discussion: """
            The last 200 are kept. An environment that is gone is named by its id.

            EXAMPLES
              microstax env executions shop
              microstax env executions shop -o json
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let found = try await common.client().executions(of: environment)
        try common.show(found, ids: found.map(\.id)) { ExecutionTables.list(found) }
    }
}
