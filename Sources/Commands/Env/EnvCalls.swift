import API
import APIClient
import ArgumentParser

struct EnvCalls: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calls",
        abstract: "Show who called whom in an environment, in which context, and who answered.",
        discussion: """
            Counts what passed the gateway since it was started and has to do with the environment: calls from its \
            services, in its context, or answered by it. FROM is the caller's environment, CONTEXT the overlay that the \
            request carried. LEAK says that the caller dropped the context of what it was answering: `suspected`, or \
            `restored` from the only request that it answered. It must forward one of x-msx-env, baggage, tracestate, \
            traceparent.

            EXAMPLES
              microstax env calls feat-refunds
              microstax env calls shop -o json
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let found = try await common.client().calls(in: environment)
        try common.show(found, ids: found.map { "\($0.caller) \($0.service)" }) { ExplanationTables.calls(found) }
    }
}
