import API
import APIClient
import ArgumentParser

struct OverlayList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List overlays by name.",
        discussion: """
            EXAMPLES
              microstax overlay list
              microstax overlay list --baseline shop
            """)

    @Option(
        name: .long, help: ArgumentHelp("Only those on this environment, direct and indirect.", valueName: "name"))
    var baseline: String?

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let client = try common.client()
        let overlays =
            if let baseline { try await client.overlays(on: baseline) } else {
                try await client.environments(mode: "overlay")
            }
        try common.show(overlays, ids: overlays.map(\.id)) { EnvironmentTables.list(overlays) }
    }
}
