import API
import APIClient
import ArgumentParser

struct BaselineGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show everything about one baseline.",
        discussion: """
            EXAMPLES
              microstax baseline get shop
              microstax baseline get shop -o json
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "baseline"))
    var baseline: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let found = try await common.client().baseline(baseline)
        try common.show(found, ids: [found.id]) { EnvironmentTables.detail(found) }
    }
}
