import API
import APIClient
import ArgumentParser

struct OverlayGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show everything about one overlay.",
        discussion: """
            EXAMPLES
              microstax overlay get feat-refunds
              microstax overlay get feat-refunds -o yaml
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "overlay"))
    var overlay: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let found = try await Membership(mode: "overlay").check(overlay, try common.client())
        try common.show(found, ids: [found.id]) { EnvironmentTables.detail(found) }
    }
}
