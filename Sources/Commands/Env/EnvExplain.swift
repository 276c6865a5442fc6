import API
import APIClient
import ArgumentParser

struct EnvExplain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say where each value comes from, or who answers for a service.",
        discussion: """
            For every value, or those at a path: the layer, file, line and column that set it, and what it replaced; \
            defaults and what was removed included. With --service: every environment that could have answered, and why \
            one does. With --services: who answers for each service.

            EXAMPLES
              microstax env explain feat-refunds
              microstax env explain feat-refunds --services
              microstax env explain feat-refunds --service payments
              microstax env explain feat-refunds services.payments.env.DATABASE_URL
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @Argument(help: ArgumentHelp("A place in the composed Blueprint.", valueName: "path"))
    var path: String?

    @Option(name: .long, help: ArgumentHelp("Explain this service's provider.", valueName: "name"))
    var service: String?

    @Flag(name: .long, help: "Say who answers for each service.")
    var services = false

    @OptionGroup var common: CommonOptions

    mutating func validate() throws {
        guard [path != nil, service != nil, services].count(where: { $0 }) <= 1 else {
            throw ValidationError("give a path, --service or --services, not several of them")
        }
    }

    func run() async throws {
        let client = try common.client()
        if service == nil, !services {
            let found = try await client.explain(path ?? "", in: environment)
            try common.show(found, ids: found.map(\.path)) { ExplanationTables.provenance(found) }
            return
        }
        var resolutions = try await client.resolutions(in: environment)
        if let service {
            resolutions = resolutions.filter { $0.service == service }
            guard !resolutions.isEmpty else {
                throw CommandFailure(
                    .failed, "\(environment) has no service \(service.visible)",
                    hint: "`microstax env explain \(environment) --services` names every service")
            }
        }
        try common.show(resolutions, ids: resolutions.map(\.service)) {
            service == nil ? ExplanationTables.overview(resolutions) : ExplanationTables.candidates(resolutions)
        }
    }
}
