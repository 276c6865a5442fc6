import ArgumentParser

struct BaselineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "baseline",
        abstract: "Baselines: shared environments that run a stack in full.",
        subcommands: [
            BaselineCreate.self, BaselineList.self, BaselineGet.self, BaselineUpdate.self, BaselineHistory.self,
            BaselineRollback.self, BaselineDelete.self,
        ])
}
