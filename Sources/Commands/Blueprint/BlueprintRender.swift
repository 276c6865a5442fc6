import API
import ArgumentParser
import Blueprints

struct BlueprintRender: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render",
        abstract: "Print what a Blueprint comes to, as YAML that reads the same.",
        discussion: """
            With the layers that it extends put together. Literal secrets are not shown; paths of files that lie in other \
            folders are written absolutely.

            EXAMPLES
              microstax blueprint render --file shop.yaml
              microstax blueprint render --file shop.yaml --provenance
            """)

    @Option(name: [.short, .long], help: ArgumentHelp("The Blueprint; - reads stdin.", valueName: "file"))
    var file: String

    @Flag(name: .long, help: "Say behind each value where it was written.")
    var provenance = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let input = try BlueprintInput(path: file, mode: nil)
        try input.requireValid("; nothing is rendered")
        for warning in input.diagnostics { common.note(warning.rendered) }
        Terminal.write(input.rendered(showsProvenance: provenance) ?? "")
    }
}
