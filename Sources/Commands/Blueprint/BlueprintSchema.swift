import ArgumentParser
import Blueprints

struct BlueprintSchema: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of Blueprints, for editors.",
        discussion: """
            Draft 2020-12. An editor with a YAML language server uses it where the Blueprint begins with \
            `# yaml-language-server: $schema=blueprint.schema.json`.

            EXAMPLES
              microstax blueprint schema > blueprint.schema.json
            """)

    func run() throws { Terminal.write(Blueprint.schema()) }
}
