import API
import APIClient
import ArgumentParser

struct LayerHistory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "List a layer's revisions, oldest first.",
        discussion: """
            EXAMPLES
              microstax layer history org
              microstax layer history org -o json
            """)

    @Argument(help: ArgumentHelp("Its name.", valueName: "layer"))
    var layer: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let revisions = try await common.client().layerHistory(of: layer)
        try common.show(revisions, ids: revisions.map { "\($0.name)@\($0.revision)" }) { LayerTables.list(revisions) }
    }
}
