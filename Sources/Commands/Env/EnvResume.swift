import API
import ArgumentParser

struct EnvResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Start stopped environments again, with the data that they had.",
        discussion: """
            Nothing is initialised again. An overlay is refused while its parent does not run.

            EXAMPLES
              microstax env resume shop
              microstax env resume shop feat-refunds
            """)

    @Argument(help: ArgumentHelp("Names or ids.", valueName: "env"))
    var environments: [String]

    @OptionGroup var options: StateChangeOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let words = StateChange.Words(done: "resumed", failing: "come up")
        try await StateChange(
            targets: environments, operation: .resumeEnvironment, words: words, options: options, common: common
        ).run()
    }
}
