import ArgumentParser

struct BaselineDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete baselines and all that they have.",
        discussion: """
            A baseline that overlays stand on is refused, naming them.

            EXAMPLES
              microstax baseline delete shop
              microstax baseline delete shop --dry-run
            """)

    @Argument(help: ArgumentHelp("Names or ids.", valueName: "baseline"))
    var baselines: [String]

    @OptionGroup var delete: DeleteOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Deletion(targets: baselines, mode: "baseline", options: delete, common: common).run()
    }
}
