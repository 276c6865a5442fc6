import API
import ArgumentParser

struct EnvStop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop what environments run; data, ports and logs stay.",
        discussion: """
            Dependents stop first. While it is stopped its own services are answered 503 no_endpoint. A parent is refused
            while an overlay on it is not stopped.

            EXAMPLES
              microstax env stop shop
              microstax env stop feat-refunds shop
            """)

    @Argument(help: ArgumentHelp("Names or ids.", valueName: "env"))
    var environments: [String]

    @OptionGroup var options: StateChangeOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let words = StateChange.Words(done: "stopped", failing: "stop")
        try await StateChange(
            targets: environments, operation: .stopEnvironment, words: words, options: options, common: common
        ).run()
    }
}
