import API
import APIClient
import ArgumentParser

struct BaselineHistory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "List the revisions of a baseline, each with what it changed.",
        discussion: """
            EXAMPLES
              microstax baseline history shop
              microstax baseline history shop -o json
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "baseline"))
    var baseline: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let client = try common.client()
        try common.showRevisions(try await client.baselineRevisions(baseline))
    }
}
