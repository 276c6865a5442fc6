import API
import APIClient
import ArgumentParser

struct EnvList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List environments by name.",
        discussion: """
            EXAMPLES
              microstax env list
              microstax env list --mode overlay --label team=payments
              microstax env list -o json
            """)

    @Option(name: .long, help: ArgumentHelp("Only this mode.", valueName: "isolated|baseline|overlay"))
    var mode: ModeFilter?

    @Option(name: .long, help: ArgumentHelp("Only those with this label.", valueName: "key=value"))
    var label: String?

    @OptionGroup var common: CommonOptions

    mutating func validate() throws {
        if let label, !label.contains("=") {
            throw ValidationError("--label is `\(label)`, which is not of the form key=value")
        }
    }

    func run() async throws {
        let environments = try await common.client().environments(mode: mode?.rawValue, label: label)
        try common.show(environments, ids: environments.map(\.id)) { EnvironmentTables.list(environments) }
    }
}

enum ModeFilter: String, CaseIterable, ExpressibleByArgument {
    case isolated, baseline, overlay
}
