import ArgumentParser
import Blueprints

struct EnvValidate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check whether an environment can be made of a Blueprint.",
        discussion: """
            As `microstax blueprint validate`, but what this version cannot run yet is an error.

            EXAMPLES
              microstax env validate --file shop.yaml
              microstax env validate --file overlay.yaml --overlay-of shop
            """)

    @OptionGroup var validation: ValidationOptions
    @OptionGroup var common: CommonOptions

    func run() async throws { try await Validation(options: validation, unbuilt: .error, common: common).run() }
}
