import API
import ArgumentParser
import Blueprints

struct BlueprintDiscover: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discover",
        abstract: "Draft a Blueprint from what lies in a folder.",
        discussion: """
            Looks for Compose files, Dockerfiles, Procfiles and package manifests, and says where each part came from. The \
            draft validates, but commands and ports are guesses: comments say which. Links are not followed.

            EXAMPLES
              microstax blueprint discover
              microstax blueprint discover ~/src/shop -o shop.yaml
            """)

    @Argument(help: ArgumentHelp("The folder.", valueName: "folder"))
    var folder = "."

    @OptionGroup var draft: DraftOptions

    func run() throws {
        let path = InputFile.absolute(folder)
        let found = try FolderWalk.files(in: path)
        if found.isCut, !draft.quiet {
            Terminal.write("there is more in \(folder.visible) than was looked at\n", to: .errors)
        }
        let (drafted, diagnostics) = Blueprint.discover(found.files, folder: path, name: draft.name)
        guard let drafted else {
            throw CommandFailure(
                .invalidInput, "no Blueprint can be drafted from \(folder.visible)",
                hint: "write one: see `microstax blueprint schema`, or name another folder",
                details: diagnostics.map(\.rendered))
        }
        try draft.show(drafted)
    }
}
