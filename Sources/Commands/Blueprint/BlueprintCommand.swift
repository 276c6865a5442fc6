import ArgumentParser

struct BlueprintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "blueprint",
        abstract: "Blueprints: check them, and see what they come to.",
        subcommands: [BlueprintValidate.self, BlueprintRender.self])
}
