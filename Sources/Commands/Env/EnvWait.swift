import API
import APIClient
import ArgumentParser

struct EnvWait: AsyncParsableCommand {
    enum Goal: String, CaseIterable, ExpressibleByArgument {
        case running, deleted
    }

    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Watch an environment until it runs, or is gone.",
        discussion: """
            Takes up again what `create --wait` began to show. Ends with 75 when --timeout passes first.

            EXAMPLES
              microstax env wait shop
              microstax env wait shop --for deleted --timeout 2m
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @Option(name: .customLong("for"), help: ArgumentHelp("What to wait for.", valueName: "running|deleted"))
    var goal: Goal = .running

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let waiting = Waiting(client: try common.client(), common: common)
        switch goal {
        case .running:
            let found = try await waiting.untilReached(.running, environment, doing: "come up")
            try common.show(found.environment, ids: [found.id]) { "" }
            try await waiting.summarise(found)
        case .deleted:
            let found = try await waiting.untilGone(environment, .deleted)
            if let found {
                try common.show(found.environment, ids: [found.id]) { "\(found.environment.name) is deleted\n" }
            } else if common.output == .table, !common.quiet {
                Terminal.write("\(environment.visible) does not exist\n")
            }
        }
    }
}
