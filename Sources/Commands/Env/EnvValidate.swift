import ArgumentParser

struct EnvValidate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "The same as `microstax blueprint validate`.",
        discussion: """
            EXAMPLES
              microstax env validate --file shop.yaml
              microstax env validate --file overlay.yaml --overlay-of shop
            """)

    @OptionGroup var validation: ValidationOptions
    @OptionGroup var common: CommonOptions

    func run() async throws { try await Validation(options: validation, common: common).run() }
}
