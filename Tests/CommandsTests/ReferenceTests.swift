import API
import ArgumentParser
import Foundation
import Testing

@testable import Commands

/// `docs/reference/cli.md` is made from the commands' own help. When this fails, run it again with
/// `MICROSTAX_UPDATE_REFERENCE=1` and look at the difference.
@Suite struct ReferenceTests {
    private static let page = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "../../docs/reference/cli.md").standardized

    @Test func thePageIsWhatTheCommandsSay() throws {
        let wanted = Reference.markdown
        if ProcessInfo.processInfo.environment["MICROSTAX_UPDATE_REFERENCE"] == "1" {
            try FileManager.default.createDirectory(
                at: Self.page.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(wanted.utf8).write(to: Self.page, options: .atomic)
        }
        let written = try String(decoding: Data(contentsOf: Self.page), as: UTF8.self)
        #expect(written == wanted, "the page is stale: set MICROSTAX_UPDATE_REFERENCE=1 and run this test")
    }

    @Test func everyVerbSaysWhatItDoesAndHasExamples() {
        for command in Reference.verbs {
            #expect(!command.type.configuration.abstract.isEmpty, "\(command.name)")
            let examples = Reference.examples(of: command.type)
            #expect((1...4).contains(examples.count), "\(command.name): \(examples)")
            for example in examples { #expect(example.contains(command.name), "\(command.name): \(example)") }
        }
    }

    @Test func everyExampleCanBeParsed() throws {
        for command in Reference.verbs {
            for example in Reference.examples(of: command.type) {
                let arguments = Reference.arguments(of: example)
                #expect(throws: Never.self, "\(example)") { try TestRoot.parseAsRoot(arguments) }
            }
        }
    }
}

/// The tree of commands as text.
private enum Reference {
    typealias Command = (name: String, type: any ParsableCommand.Type)

    static var verbs: [Command] {
        tree("microstax", TestRoot.self).filter { $0.type.configuration.subcommands.isEmpty }
    }

    private static func tree(_ name: String, _ type: any ParsableCommand.Type) -> [Command] {
        type.configuration.subcommands.flatMap { child in
            let path = name + " " + child._commandName
            return [(path, child)] + tree(path, child)
        }
    }

    static func examples(of type: any ParsableCommand.Type) -> [String] {
        let lines = type.configuration.discussion.split(separator: "\n")
        guard let start = lines.firstIndex(of: "EXAMPLES") else { return [] }
        return lines[(start + 1)...].map { $0.trimmingCharacters(in: .whitespaces) }
    }

    /// What follows `microstax` up to what a shell would take for itself.
    static func arguments(of example: String) -> [String] {
        var words = example.split(separator: " ").map(String.init)
        if let program = words.firstIndex(where: { $0.hasSuffix("microstax") }) { words.removeFirst(program + 1) }
        return words.prefix { !["|", "&&", ">"].contains($0) }.map { $0.trimmingCharacters(in: ["(", ")"]) }
    }

    static var markdown: String {
        var text = """
            # Command line reference

            Made from the commands' own help by `ReferenceTests`; a test fails when it is stale.

            Results go to stdout, progress and errors to stderr. `-o json` gives the `data` of the API's reply, keys sorted. Ids \
            and names are both accepted. Colours appear on terminals only, unless `NO_COLOR` is set or `TERM` is `dumb`.

            ## Which server

            With `MICROSTAX_API_URL` (`http://host:port`) and `MICROSTAX_API_KEY` commands talk to that server. Else they talk to the \
            local one on the Unix socket of the state folder, and start it where it does not run. The state folder is \
            `$MICROSTAX_HOME`, else `/var/lib/microstax` for root, else `$XDG_STATE_HOME/microstax`, else \
            `~/.local/state/microstax`.

            ## Exit codes

            | code | meaning |
            |---|---|

            """
        for status in CommandStatus.allCases { text += "| \(status.rawValue) | \(status.meaning) |\n" }
        text += """

            ## Limits

            | what | limit |
            |---|---|
            | a Blueprint, and each file that it names | 10 MiB |
            | all files that a Blueprint names together | 8 MiB |
            | a reply of the server | 64 MiB |
            | one event or log line | 16 MiB |
            | starting the local server | 60 s |
            | taking up a lost connection while watching | 60 s |
            | a reply, without `--timeout` | 30 s |
            | watching, without `--timeout` | none |

            One end of line at the end of a secret's file (`fromFile`) is not part of the secret.

            """
        for command in tree("microstax", TestRoot.self) {
            let level = command.type.configuration.subcommands.isEmpty ? "###" : "##"
            let isTopVerb = command.name.split(separator: " ").count == 2
            text += "\n\(isTopVerb ? "##" : level) \(command.name)\n\n"
            if command.type.configuration.subcommands.isEmpty {
                let help = TestRoot.helpMessage(for: command.type, columns: 100)
                text +=
                    "```text\n"
                    + help.split(separator: "\n", omittingEmptySubsequences: false)
                    .map { line in String(line.reversed().drop { $0 == " " }.reversed()) }.joined(separator: "\n")
                    + "\n```\n"
            } else {
                text += command.type.configuration.abstract + "\n"
            }
        }
        return text
    }
}
