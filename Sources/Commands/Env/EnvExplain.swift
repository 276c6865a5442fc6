import API
import APIClient
import ArgumentParser

struct EnvExplain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say who answers for a service, or where a value came from.",
        discussion: """
            With a path: the file, line and column that set the value, and what it replaced. With --service: every \
            environment that could have answered, and why one does. With neither: who answers for each service.

            EXAMPLES
              microstax env explain feat-refunds
              microstax env explain feat-refunds --service payments
              microstax env explain feat-refunds services.payments.env.DATABASE_URL
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @Argument(help: ArgumentHelp("A place in the composed Blueprint.", valueName: "path"))
    var path: String?

    @Option(name: .long, help: ArgumentHelp("Explain this service's provider.", valueName: "name"))
    var service: String?

    @OptionGroup var common: CommonOptions

    mutating func validate() throws {
        if path != nil, service != nil { throw ValidationError("give either a path or --service, not both") }
    }

    func run() async throws {
        let client = try common.client()
        if let path {
            let found = try await client.explain(path, in: environment)
            try common.show(found, ids: found.map(\.path)) { ExplanationTables.provenance(found) }
            return
        }
        var resolutions = try await client.resolutions(in: environment)
        if let service {
            resolutions = resolutions.filter { $0.service == service }
            guard !resolutions.isEmpty else {
                throw CommandFailure(
                    .failed, "\(environment) has no service \(service.visible)",
                    hint: "`microstax env explain \(environment)` names every service")
            }
        }
        try common.show(resolutions, ids: resolutions.map(\.service)) {
            service == nil ? ExplanationTables.overview(resolutions) : ExplanationTables.candidates(resolutions)
        }
    }
}
