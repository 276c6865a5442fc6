import API
import APIClient
import ArgumentParser

struct EnvGraph: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph",
        abstract: "Show who reaches whom in an environment: as declared, referred to, inferred and observed.",
        discussion: """
            A tree from what is called from outside on. Calls are those that the gateway has seen in the last 14 days in \
            the environment's lineage.

            EXAMPLES
              microstax env graph shop
              microstax env graph shop -o dot | dot -Tsvg > shop.svg
              microstax env graph feat-refunds -o mermaid
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @Option(name: [.short, .long], help: ArgumentHelp("How to write it.", valueName: "text|json|yaml|dot|mermaid"))
    var output: GraphFormat = .text

    @Flag(name: .long, help: "Only the names of the services.")
    var quiet = false

    @Option(name: .long, help: ArgumentHelp("Longest time to take, such as 90s, 5m or 1h.", valueName: "duration"))
    var timeout: String?

    @Option(name: .long, help: ArgumentHelp("A saved context (not supported yet).", valueName: "name"))
    var context: String?

    mutating func validate() throws { _ = try common() }

    func run() async throws {
        let common = try common()
        let graph = try await common.client().graph(of: environment)
        if !quiet, let text = GraphText(palette: Terminal.palette(.output)).written(graph, output) {
            Terminal.write(text)
        } else {
            try common.show(graph, ids: graph.services.map(\.name)) { "" }
        }
    }

    /// What every command has, with a format that this one has alone.
    private func common() throws -> CommonOptions {
        var arguments = quiet ? ["--quiet"] : []
        if let timeout { arguments += ["--timeout", timeout] }
        if let context { arguments += ["--context", context] }
        return try CommonOptions.parse(arguments + ["--output", output == .yaml ? "yaml" : "json"])
    }
}
