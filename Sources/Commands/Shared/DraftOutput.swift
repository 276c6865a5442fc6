import ArgumentParser
import Blueprints

/// `-o` of commands that make a Blueprint: how the result is written, or the file that the Blueprint is written to.
enum DraftTarget: ExpressibleByArgument, Equatable {
    case format(OutputFormat)
    case file(String)

    init?(argument: String) {
        guard !argument.isEmpty else { return nil }
        self = OutputFormat(rawValue: argument).map(DraftTarget.format) ?? .file(argument)
    }
}

struct DraftOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "The file to write the Blueprint to, or how to write all to stdout.", valueName: "file|table|json|yaml"))
    var output: DraftTarget = .format(.table)

    @Flag(name: .long, help: "Overwrite the file where there is one.")
    var force = false

    @Option(name: .long, help: ArgumentHelp("The Blueprint's name.", valueName: "name"))
    var name: String?

    @Flag(name: .long, help: "Only the Blueprint, no report.")
    var quiet = false

    private struct Result: Encodable {
        var blueprint: String
        var notes: [ImportNote]
        var diagnostics: [Diagnostic]
    }

    /// The Blueprint goes to the file or to stdout; the report to stdout where that is free, else to stderr.
    func show(_ drafted: ImportedBlueprint) throws {
        let report = drafted.notes.map { $0.rendered + "\n" }.joined() + summary(drafted)
        switch output {
        case .file(let path):
            try OutputFile.write(path, drafted.text, replaces: force)
            if !quiet { Terminal.write(report + "wrote \(path.visible)\n") }
        case .format(.table):
            Terminal.write(drafted.text)
            if !quiet { Terminal.write(report, to: .errors) }
        case .format(let format):
            let result = Result(blueprint: drafted.text, notes: drafted.notes, diagnostics: drafted.diagnostics)
            Terminal.write(try format.written(result) { drafted.text })
        }
    }

    private func summary(_ drafted: ImportedBlueprint) -> String {
        let counts = [ImportNote.Kind.carried, .changed, .leftOut].map { kind in
            "\(drafted.notes.count { $0.kind == kind }) \(kind.rawValue)"
        }
        let attention = drafted.notes.count { $0.kind == .attention }
        let needs = attention == 1 ? "1 needs attention" : "\(attention) need attention"
        let unbuilt = drafted.diagnostics.count { $0.code == "not_supported_yet" }
        let parts = unbuilt == 1 ? "1 part is" : "\(unbuilt) parts are"
        return counts.joined(separator: ", ") + ", \(needs)\n"
            + (unbuilt > 0
                ? "the Blueprint is valid; \(parts) not built yet, so that this version cannot run it\n" : "")
    }
}
