import API
import APIClient
import ArgumentParser

struct BaselineList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List baselines by name.",
        discussion: """
            EXAMPLES
              microstax baseline list
              microstax baseline list --quiet
            """)

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let baselines = try await common.client().baselines()
        try common.show(baselines, ids: baselines.map(\.id)) { EnvironmentTables.list(baselines) }
    }
}
