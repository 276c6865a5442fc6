import ArgumentParser

struct EnvDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete environments and all that they have.",
        discussion: """
            Processes, data, ports and addresses go. A baseline that overlays stand on is refused, naming them.

            EXAMPLES
              microstax env delete feat-refunds
              microstax env delete feat-refunds shop
              microstax env delete shop --dry-run
            """)

    @Argument(help: ArgumentHelp("Names or ids.", valueName: "env"))
    var environments: [String]

    @OptionGroup var delete: DeleteOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Deletion(targets: environments, mode: nil, options: delete, common: common).run()
    }
}
