import API
import APIClient
import ArgumentParser

struct OverlayRebase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebase",
        abstract: "Bring an overlay onto its parent's present revision.",
        discussion: """
            A three-way comparison of what the parent was, what the overlay made of it, and what the parent is now: whatever \
            does not collide is taken. Where both changed a field in different ways nothing is done, and every such field is \
            named with both places; --keep-mine goes on with what the overlay says.

            EXAMPLES
              microstax overlay rebase feat-refunds --dry-run
              microstax overlay rebase feat-refunds
              microstax overlay rebase feat-refunds --keep-mine
            """)

    @Argument(help: ArgumentHelp("Names or ids.", valueName: "overlay"))
    var overlays: [String]

    @Flag(name: .long, help: "Where both changed a field, what the overlay says stays.")
    var keepMine = false

    @OptionGroup var options: StateChangeOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let request = RebaseRequest(keepMine: keepMine, allow: options.allow, dryRun: options.dryRun)
        try await StateChange(
            targets: overlays, words: .init(done: "rebased", failing: "rebase"), options: options, common: common
        ) { target, client in
            try await client.rebaseEnvironment(target, request)
        }.run()
    }
}
