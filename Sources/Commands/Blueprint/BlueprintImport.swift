import API
import ArgumentParser
import Blueprints

struct BlueprintImport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a Blueprint of Compose files, and say what became of each thing.",
        discussion: """
            The Blueprint validates; comments in it say what needs your attention. Later files override earlier ones. \
            `.env` beside the first file is read; values of variables whose names say that they are secret are not copied.

            EXAMPLES
              microstax blueprint import compose.yaml -o blueprint.yaml
              microstax blueprint import compose.yaml compose.override.yaml --profile full > blueprint.yaml
              microstax blueprint import compose.yaml -o json
            """)

    @Argument(help: ArgumentHelp("The Compose files; - reads stdin.", valueName: "compose.yaml"))
    var files: [String]

    @Option(name: .long, help: ArgumentHelp("Take services of this profile, too; * takes all.", valueName: "profile"))
    var profile: [String] = []

    @Option(name: .long, help: ArgumentHelp("A file of variables, instead of .env.", valueName: "file"))
    var envFile: [String] = []

    @OptionGroup var draft: DraftOptions

    func run() throws {
        let inputs = try files.map { path in
            ComposeFile(
                name: path == "-" ? "stdin" : path, folder: InputFile.folder(of: path), bytes: try InputFile.named(path)
            )
        }
        let options = ImportOptions(name: draft.name, profiles: Set(profile), variables: try variables(inputs))
        let (imported, diagnostics) = Blueprint.importCompose(inputs, options: options) { path in
            // What cannot be read is said in the report.
            try? InputFile.read(path)
        }
        guard let imported else {
            throw CommandFailure(
                .invalidInput, "\(inputs[0].name.visible) cannot be imported", details: diagnostics.map(\.rendered))
        }
        try draft.show(imported)
    }

    private func variables(_ inputs: [ComposeFile]) throws -> [String: String] {
        var result: [String: String] = [:]
        if envFile.isEmpty {
            // Most projects have none.
            if let bytes = try? InputFile.read(inputs[0].folder + "/.env") { result = Blueprint.variables(bytes) }
        }
        for path in envFile { result.merge(Blueprint.variables(try InputFile.named(path))) { $1 } }
        return result
    }
}
