import ArgumentParser

struct OverlayDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete overlays and all that they have.",
        discussion: """
            The parent and its services stay as they are.

            EXAMPLES
              microstax overlay delete feat-refunds
              microstax overlay delete feat-refunds feat-search --no-wait
            """)

    @Argument(help: ArgumentHelp("Names or ids.", valueName: "overlay"))
    var overlays: [String]

    @OptionGroup var delete: DeleteOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Deletion(targets: overlays, mode: "overlay", options: delete, common: common).run()
    }
}
