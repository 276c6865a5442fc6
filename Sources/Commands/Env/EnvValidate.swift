import API
import APIClient
import Blueprints
import ArgumentParser

struct EnvValidate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check a Blueprint and name every problem with its place.",
        discussion: """
            Works on this machine alone and starts no server. An overlay's Blueprint says only what differs: name its \
            parent, and it is checked by the server as the two are composed.

            EXAMPLES
              microstax env validate --file shop.yaml
              microstax env validate --file overlay.yaml --overlay-of shop
            """)

    @Option(name: [.short, .long], help: ArgumentHelp("The Blueprint; - reads stdin.", valueName: "file"))
    var file: String

    @Option(name: .long, help: ArgumentHelp("The environment that this is an overlay of.", valueName: "env"))
    var overlayOf: String?

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let input = try BlueprintInput(path: file, mode: overlayOf == nil ? nil : .overlay)
        var found = ValidationView(valid: !input.hasErrors, diagnostics: input.diagnostics.map(\.detail))
        if found.valid, let overlayOf {
            found = try await common.client().validateBlueprint(input.request(mode: "overlay", parent: overlayOf))
        }
        try common.show(found, ids: []) {
            var lines = found.diagnostics.map(\.written)
            if found.valid { lines.append("\(input.name) is valid") }
            return lines.map { $0 + "\n" }.joined()
        }
        if !found.valid {
            let count = found.diagnostics.count { $0.severity == "error" }
            throw CommandFailure(.invalidInput, "\(input.name) has \(count == 1 ? "a problem" : "\(count) problems")")
        }
    }
}
