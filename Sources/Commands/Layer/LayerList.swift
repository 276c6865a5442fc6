import API
import APIClient
import ArgumentParser

struct LayerList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List registered layers by name.",
        discussion: """
            EXAMPLES
              microstax layer list
              microstax layer list -o json
            """)

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let layers = try await common.client().layers()
        try common.show(layers, ids: layers.map(\.name)) { LayerTables.list(layers) }
    }
}
