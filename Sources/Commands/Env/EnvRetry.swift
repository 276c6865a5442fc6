import API
import ArgumentParser

struct EnvRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Go on with a create or resume that failed, from where it failed.",
        discussion: """
            What succeeded stays as it is; a service that did not become ready is started anew. A step of which nobody
            knows whether it took effect is only repeated with --allow repeat-unknown.

            EXAMPLES
              microstax env retry shop
            """)

    @Argument(help: ArgumentHelp("Names or ids.", valueName: "env"))
    var environments: [String]

    @OptionGroup var options: StateChangeOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let words = StateChange.Words(done: "retried", failing: "come up")
        try await StateChange(
            targets: environments, operation: .retryEnvironment, words: words, options: options, common: common
        ).run()
    }
}
