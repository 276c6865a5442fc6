import ArgumentParser
import Blueprints

struct BlueprintValidate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check a Blueprint and name every problem with its place.",
        discussion: """
            What is right and this version cannot run yet is a warning; `microstax env validate` refuses it. Works on this \
            machine alone and starts no server, unless the Blueprint extends registered layers. An overlay's Blueprint \
            says only what differs: name its parent, and it is checked by the server as the two are composed.

            EXAMPLES
              microstax blueprint validate --file shop.yaml
              microstax blueprint validate --file overlay.yaml --overlay-of shop
            """)

    @OptionGroup var validation: ValidationOptions
    @OptionGroup var common: CommonOptions

    func run() async throws { try await Validation(options: validation, unbuilt: .warning, common: common).run() }
}
