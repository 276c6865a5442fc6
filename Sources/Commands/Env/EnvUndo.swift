import API
import ArgumentParser

struct EnvUndo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo",
        abstract: "Take back what an execution that failed, or is under way, has done.",
        discussion: """
            A create that is undone leaves nothing, as if it had never been asked for. An update or scale that is undone
            goes back to what was wanted before; a resume that is undone stops again.

            EXAMPLES
              microstax env undo shop
              microstax env undo shop --dry-run
            """)

    @Argument(help: ArgumentHelp("Names or ids.", valueName: "env"))
    var environments: [String]

    @OptionGroup var options: StateChangeOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let words = StateChange.Words(done: "undone", failing: "undo it")
        try await StateChange(
            targets: environments, operation: .undoEnvironment, words: words, options: options, common: common
        ).run()
    }
}
