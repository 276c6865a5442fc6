import API
import APIClient
import ArgumentParser

struct ExecutionCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel an execution that is under way; what it did is undone.",
        discussion: """
            The same as `microstax env undo` of its environment, refused where another execution took its place.

            EXAMPLES
              microstax execution cancel exe-4kq2m7x3ab
            """)

    @Argument(help: ArgumentHelp("Its id; `microstax env executions <env>` lists them.", valueName: "id"))
    var execution: String

    @OptionGroup var options: StateChangeOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let words = StateChange.Words(done: "undone", failing: "undo it")
        try await StateChange(
            targets: [execution], operation: .cancelExecution, words: words, options: options, common: common
        ).run()
    }
}
