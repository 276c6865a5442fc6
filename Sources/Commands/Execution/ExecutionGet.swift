import API
import APIClient
import ArgumentParser

struct ExecutionGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show an execution with its steps, their times, attempts and errors.",
        discussion: """
            EXAMPLES
              microstax execution get exe-4kq2m7x3ab
              microstax execution get exe-4kq2m7x3ab -o json
            """)

    @Argument(help: ArgumentHelp("Its id; `microstax env executions <env>` lists them.", valueName: "id"))
    var execution: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let found = try await common.client().execution(execution)
        try common.show(found, ids: [found.id]) { ExecutionTables.steps(found) }
    }
}
