import ArgumentParser

struct OverlayCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create an overlay on a baseline, or on another overlay.",
        discussion: """
            The Blueprint says only what differs from the parent. Services that it does not change are inherited: the \
            parent's running copies answer for them.

            EXAMPLES
              microstax overlay create --baseline shop --file examples/shop/overlay.yaml --wait
              microstax overlay create --baseline shop --file overlay.yaml --dry-run
              microstax overlay create --baseline shop --file overlay.yaml --allow claim_held
              microstax overlay create --baseline shop --file overlay.yaml --carry --dry-run
            """)

    @Option(
        name: .long,
        help: ArgumentHelp("The parent; the Blueprint's routing.baselineId where not given.", valueName: "name"))
    var baseline: String?

    @Flag(name: .long, help: "Copy the callers that are known to forward no context, as routing.carry: auto does.")
    var carry = false

    @OptionGroup var focus: FocusOption
    @OptionGroup var create: CreateOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Creation(
            kind: .overlay(parent: baseline), options: create, common: common, focus: focus.services, carries: carry
        ).run()
    }
}
