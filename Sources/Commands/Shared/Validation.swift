import API
import APIClient
import ArgumentParser
import Blueprints

struct ValidationOptions: ParsableArguments {
    @Option(name: [.short, .long], help: ArgumentHelp("The Blueprint; - reads stdin.", valueName: "file"))
    var file: String

    @Option(name: .long, help: ArgumentHelp("The environment that this is an overlay of.", valueName: "env"))
    var overlayOf: String?
}

/// `blueprint validate`, which judges the Blueprint, and `env validate`, which also asks whether this version can run it.
struct Validation {
    let options: ValidationOptions
    let unbuilt: Diagnostic.Severity
    let common: CommonOptions

    func run() async throws {
        var input = try BlueprintInput(
            path: options.file, .environment(options.overlayOf == nil ? nil : .overlay), unbuilt: unbuilt)
        try await input.fetchLayers(common)
        var found = ValidationView(valid: !input.hasErrors, diagnostics: input.diagnostics.map(\.detail))
        if found.valid, let parent = options.overlayOf {
            found = try await common.client().validateBlueprint(input.request(mode: "overlay", parent: parent))
        }
        try common.show(found, ids: []) {
            var lines = found.diagnostics.map(\.written)
            let unbuilt = found.diagnostics.contains { $0.code == "not_supported_yet" }
            if found.valid {
                lines.append("\(input.name) is valid" + (unbuilt ? "; this version cannot run it yet" : ""))
            }
            return lines.map { $0 + "\n" }.joined()
        }
        if !found.valid {
            let count = found.diagnostics.count { $0.severity == "error" }
            throw CommandFailure(.invalidInput, "\(input.name) has \(count == 1 ? "a problem" : "\(count) problems")")
        }
    }
}
