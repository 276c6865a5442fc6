import ArgumentParser

struct LayerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "layer",
        abstract: "Layers: parts of Blueprints that others extend.",
        subcommands: [
            LayerApply.self, LayerList.self, LayerGet.self, LayerHistory.self, LayerDelete.self,
        ])
}
