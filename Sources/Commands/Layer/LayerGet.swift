import API
import APIClient
import ArgumentParser

struct LayerGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show a layer, its text, and who uses it.",
        discussion: """
            Literal secrets are not shown.

            EXAMPLES
              microstax layer get org
              microstax layer get org@3
            """)

    @Argument(help: ArgumentHelp("A name, or name@revision; without one, the newest.", valueName: "layer"))
    var layer: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let found = try await common.client().layer(layer)
        try common.show(found, ids: ["\(found.name)@\(found.revision)"]) { LayerTables.detail(found) }
    }
}
