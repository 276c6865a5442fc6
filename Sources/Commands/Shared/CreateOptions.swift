import ArgumentParser

/// What `env create`, `baseline create` and `overlay create` have in common.
struct CreateOptions: ParsableArguments {
    @Option(
        name: [.short, .long], help: ArgumentHelp("The Blueprint; - reads stdin, with this folder.", valueName: "file"))
    var file: String

    @Flag(inversion: .prefixedNo, help: "Watch until it runs or has failed.")
    var wait = false

    @Flag(name: .long, help: "Print the difference and the plan with its reasons, and do nothing.")
    var dryRun = false

    @Option(
        name: .long,
        help: ArgumentHelp("Accept a risk or a conflict, by its code; may be given again.", valueName: "code"))
    var allow: [String] = []

    @Option(name: .long, help: ArgumentHelp("One of the Blueprint's plans.", valueName: "plan"))
    var profile: String?
}
