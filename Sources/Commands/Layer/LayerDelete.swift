import API
import APIClient
import ArgumentParser

struct LayerDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Remove a layer with all its revisions.",
        discussion: """
            Refused while an environment is composed of it, or another layer extends it; these are named. A name that is \
            registered again goes on counting.

            EXAMPLES
              microstax layer delete org
              microstax layer delete org --dry-run
            """)

    @Argument(help: ArgumentHelp("Names.", valueName: "layer"))
    var layers: [String]

    @Flag(name: .long, help: "Say what would be done, and do nothing.")
    var dryRun = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let client = try common.client()
        var deleted: [LayerView] = []
        for layer in layers { deleted.append(try await client.deleteLayer(layer, dryRun: dryRun)) }
        try common.show(deleted, ids: deleted.map(\.name)) {
            deleted.map { "\($0.name) \(dryRun ? "would be" : "is") removed\n" }.joined()
        }
    }
}
