import API
import APIClient
import ArgumentParser

struct BaselineUpdate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Make a baseline into another revision of itself, from a Blueprint.",
        discussion: """
            What changed is started anew, the rest goes on running. Overlays stay pinned to the revision that they stand on \
            for what they define themselves; what they inherit is live. `overlay list` shows how far each is behind.

            EXAMPLES
              microstax baseline update shop --file shop.yaml --dry-run
              microstax baseline update shop --file shop.yaml
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "baseline"))
    var baseline: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The Blueprint.", valueName: "file"))
    var file: String

    @OptionGroup var options: StateChangeOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        _ = try await common.client().baseline(baseline)
        try await EnvUpdate.updating(baseline, by: file, options, common).run()
    }
}
