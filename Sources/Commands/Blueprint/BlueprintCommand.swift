import ArgumentParser

struct BlueprintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "blueprint",
        abstract: "Blueprints: check, format and draft them, and see what they come to.",
        subcommands: [
            BlueprintValidate.self, BlueprintRender.self, BlueprintImport.self, BlueprintDiscover.self,
            BlueprintFormat.self, BlueprintSchema.self,
        ])
}
