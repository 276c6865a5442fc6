import API
import APIClient
import ArgumentParser
import Blueprints

struct LayerApply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Register a layer, or a new revision of it.",
        discussion: """
            A layer is a Blueprint of which anything but the name may be missing; Blueprints name it in `extends`. Its \
            revisions never change: what says something else becomes the next one, and the same again is none. What runs \
            goes on with the revisions that it was made of, until `microstax env update`.

            EXAMPLES
              microstax layer apply --file org.yaml
              microstax layer apply --file team.yaml --dry-run
            """)

    @Option(name: [.short, .long], help: ArgumentHelp("The layer; - reads stdin.", valueName: "file"))
    var file: String

    @Flag(name: .long, help: "Check it, and register nothing.")
    var dryRun = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let input = try BlueprintInput(path: file, .layer)
        try input.requireValid("; nothing was sent")
        for warning in input.diagnostics { common.note(warning.rendered) }
        let applied = try await common.client().applyLayer(input.layerRequest(dryRun: dryRun))
        let known = Set(input.diagnostics.map(\.message))
        for warning in applied.warnings where !known.contains(warning.message) { common.note(warning.written) }
        let layer = applied.layer
        try common.show(applied, ids: ["\(layer.name)@\(layer.revision)"]) {
            guard applied.isChanged else { return "\(layer.name)@\(layer.revision) says the same already\n" }
            return "\(layer.name)@\(layer.revision) \(dryRun ? "would be" : "is") registered\n"
        }
    }
}
