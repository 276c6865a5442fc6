import ArgumentParser

struct ExecutionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "execution",
        abstract: "Executions: the durable runs of plans.",
        subcommands: [ExecutionGet.self, ExecutionCancel.self])
}
