import ArgumentParser

struct OverlayCreate: AsyncParsableCommand {
    enum Risk: String, CaseIterable, ExpressibleByArgument {
        case unhealthyParent = "unhealthy-parent"
    }

    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create an overlay on a baseline, or on another overlay.",
        discussion: """
            The Blueprint says only what differs from the parent. Services that it does not change are inherited: the \
            parent's running copies answer for them.

            EXAMPLES
              microstax overlay create --baseline shop --file examples/shop/overlay.yaml --wait
              microstax overlay create --baseline shop --file overlay.yaml --dry-run
              microstax overlay create --baseline shop --file overlay.yaml --allow unhealthy-parent
            """)

    @Option(
        name: .long,
        help: ArgumentHelp("The parent; the Blueprint's routing.baselineId where not given.", valueName: "name"))
    var baseline: String?

    @Option(name: .long, help: ArgumentHelp("A risk to accept; may be given again.", valueName: "unhealthy-parent"))
    var allow: [Risk] = []

    @OptionGroup var focus: FocusOption
    @OptionGroup var create: CreateOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Creation(
            kind: .overlay(parent: baseline), options: create, common: common, allow: allow.map(\.rawValue),
            focus: focus.services
        ).run()
    }
}
