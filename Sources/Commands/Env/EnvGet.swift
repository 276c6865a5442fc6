import API
import APIClient
import ArgumentParser

struct EnvGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show everything about one environment.",
        discussion: """
            EXAMPLES
              microstax env get shop
              microstax env get shop -o yaml
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let found = try await common.client().environment(environment)
        try common.show(found, ids: [found.id]) { EnvironmentTables.detail(found) }
    }
}
