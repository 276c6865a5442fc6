import API
import APIClient
import ArgumentParser

struct EnvHistory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "List the revisions of an environment, each with what it changed.",
        discussion: """
            Newest first. What happened to it otherwise is shown by `env events`.

            EXAMPLES
              microstax env history shop
              microstax env history shop -o json
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let client = try common.client()
        try common.showRevisions(try await client.revisions(of: environment))
    }
}

extension CommonOptions {
    func showRevisions(_ revisions: [RevisionView]) throws {
        let palette = Terminal.palette(.output)
        let text = DifferenceText(palette)
        try show(revisions, ids: revisions.map { String($0.number) }) {
            revisions.map { revision in
                var line = palette.bold("revision \(revision.number)") + (revision.isCurrent ? " (now)" : "")
                line += "  \(revision.createdAt)" + (revision.actor.map { "  by \($0.visible)" } ?? "")
                if let parent = revision.parent { line += "  on \(parent.visible)" }
                if let reason = revision.reason { line += "\n    \(reason.visible)" }
                guard let changes = revision.changes else { return line + "\n" }
                let changed = text.spec(changes).split(separator: "\n").map { "    " + $0 + "\n" }.joined()
                return line + "\n" + (changed.isEmpty ? "    nothing differs from the one before\n" : changed)
            }.joined(separator: "\n")
        }
    }
}
