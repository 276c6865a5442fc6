import API
import APIClient
import ArgumentParser
import Blueprints

struct BlueprintRender: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render",
        abstract: "Print what a Blueprint comes to, as YAML that reads the same.",
        discussion: """
            With the layers that it extends put together, and over its baseline where one is named. Literal secrets are \
            not shown; paths of files that lie in other folders are written absolutely.

            EXAMPLES
              microstax blueprint render --file shop.yaml
              microstax blueprint render --file shop.yaml --provenance
              microstax blueprint render --file my-change.yaml --baseline shop
            """)

    @Option(name: [.short, .long], help: ArgumentHelp("The Blueprint; - reads stdin.", valueName: "file"))
    var file: String

    @Option(name: .long, help: ArgumentHelp("The environment that this is an overlay of.", valueName: "env"))
    var baseline: String?

    @Flag(name: .long, help: "Say behind each value where it was written.")
    var provenance = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let input = try BlueprintInput(path: file, .environment(baseline == nil ? nil : .overlay), unbuilt: .warning)
        try input.requireValid("; nothing is rendered")
        for warning in input.diagnostics { common.note(warning.rendered) }
        var found = RenderedView(blueprint: input.rendered(showsProvenance: provenance) ?? "", layers: [], warnings: [])
        // Registered layers and the parent are the server's.
        if baseline != nil || !input.missing.isEmpty {
            let request = input.request(mode: baseline == nil ? nil : "overlay", parent: baseline)
            found = try await common.client().renderBlueprint(request, provenance: provenance)
            let known = Set(input.diagnostics.map(\.message))
            for warning in found.warnings where !known.contains(warning.message) { common.note(warning.written) }
        }
        try common.show(found, ids: found.layers) { found.blueprint }
    }
}
