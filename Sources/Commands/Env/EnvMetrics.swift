import API
import APIClient
import ArgumentParser

struct EnvMetrics: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "Show what each service uses, and the requests to it.",
        discussion: """
            CPU is of one core, over the time since it was last asked (from half a second to a minute); memory and \
            processes are those of everything that the service started. REQUESTS are those in this environment's \
            context since the gateway started, whoever answered; ANSWERED are those that the copy here answered, in \
            whatever context; ERRORS are the gateway's own answers. What is inherited is measured where it runs.

            EXAMPLES
              microstax env metrics shop
              microstax env metrics shop --service payments,orders --watch
              microstax env metrics feat-refunds -o json
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @Option(name: .long, help: ArgumentHelp("Only these services, by comma; may be given again.", valueName: "names"))
    var service: [String] = []

    @Flag(name: [.short, .long], help: "Ask again every two seconds; -o json writes a line each time.")
    var watch = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let client = try common.client()
        let services = service.flatMap { $0.split(separator: ",").map(String.init) }
        guard watch else { return try show(try await client.metrics(of: environment, services: services)) }
        let (environment, output) = (environment, common.output)
        try await Limited.run(common.timeout?.duration) {
            while true {
                let found = try await client.metrics(of: environment, services: services)
                let text =
                    switch output {
                    case .json: try OutputFormat.line(found)
                    case .yaml: "---\n" + (try output.written(found) { "" })
                    case .table:
                        (Terminal.canRedraw(.output) ? "\u{1B}[H\u{1B}[2J" : "") + MetricsTables.written(found) + "\n"
                    }
                Terminal.write(text)
                try await Task.sleep(for: .seconds(2))
            }
        }
    }

    private func show(_ found: MetricsView) throws {
        try common.show(found, ids: found.services.map(\.name)) { MetricsTables.written(found) }
    }
}
