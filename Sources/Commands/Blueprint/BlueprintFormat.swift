import API
import ArgumentParser
import Blueprints

struct BlueprintFormat: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "format",
        abstract: "Put a Blueprint into the usual form, comments where they were.",
        discussion: """
            Fields in the order of the reference, two spaces for each level. What is read from the file stays the same and \
            no comment is lost; a file in an unusual layout is left as it is, with a warning.

            EXAMPLES
              microstax blueprint format shop.yaml
              microstax blueprint format -w shop.yaml overlay.yaml
              microstax blueprint format --check shop.yaml
            """)

    @Argument(help: ArgumentHelp("The Blueprints; - reads stdin.", valueName: "file"))
    var files: [String]

    @Flag(name: [.customShort("w"), .long], help: "Write into the file instead of to stdout.")
    var write = false

    @Flag(name: .long, help: "Write nothing; fail where a file is not in the usual form.")
    var check = false

    @Flag(name: .long, help: "Do not name the files.")
    var quiet = false

    mutating func validate() throws {
        if write, check { throw ValidationError("give either -w or --check, not both") }
        if write, files.contains("-") { throw ValidationError("-w needs files; stdin cannot be written") }
        if files.count > 1, !write, !check { throw ValidationError("give one file, or -w or --check for several") }
    }

    func run() throws {
        var others: [String] = []
        var failures: [String] = []
        for file in files {
            let name = file == "-" ? "stdin" : file
            let bytes = try InputFile.named(file)
            let result = Blueprint.format(bytes, file: name)
            for diagnostic in result.diagnostics where diagnostic.severity == .warning {
                Terminal.write(diagnostic.rendered + "\n", to: .errors)
            }
            guard let text = result.text else {
                failures += result.diagnostics.map(\.rendered)
                continue
            }
            let isChanged = Array(text.utf8) != bytes
            if isChanged { others.append(name) }
            if write {
                if isChanged { try OutputFile.replace(file, with: text) }
            } else if !check {
                Terminal.write(text)
            }
        }
        if !quiet, write || check { for name in others { Terminal.write(name.visible + "\n") } }
        guard failures.isEmpty else {
            throw CommandFailure(.invalidInput, "what cannot be read cannot be formatted", details: failures)
        }
        if check, !others.isEmpty {
            let count = others.count == 1 ? "a file is" : "\(others.count) files are"
            throw CommandFailure(
                .failed, "\(count) not in the usual form",
                hint: "microstax blueprint format -w \(others.map(\.visible).joined(separator: " "))")
        }
    }
}
