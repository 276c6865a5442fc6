import ArgumentParser

struct EnvCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create an environment from a Blueprint.",
        discussion: """
            The Blueprint is checked on this machine first, every problem at once. Unless it says otherwise the \
            environment is isolated: it has a copy of every service for itself. With --focus it starts what lies on the \
            way from its entry points to those services and what they need; the rest is cold until a request comes \
            (`microstax env plan` says which and why).

            EXAMPLES
              microstax env create --file shop.yaml --wait
              microstax env create --file shop.yaml --focus payments --wait
              microstax env create --file shop.yaml --dry-run
              cat shop.yaml | microstax env create --file - -o json
            """)

    @OptionGroup var focus: FocusOption
    @OptionGroup var create: CreateOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Creation(kind: .environment, options: create, common: common, focus: focus.services).run()
    }
}
