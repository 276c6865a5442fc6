import API
import APIClient
import ArgumentParser

struct EnvStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how an environment does, service by service.",
        discussion: """
            Ends with 2 when it is degraded or in error, so that a script can ask.

            EXAMPLES
              microstax env status shop
              microstax env status shop --quiet && ./smoke-test
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let found = try await common.client().status(of: environment)
        try common.show(found, ids: [found.id]) { EnvironmentTables.status(found) }
        if ["degraded", "error"].contains(found.state) { throw CommandFailure.silent(.notHealthy) }
    }
}
