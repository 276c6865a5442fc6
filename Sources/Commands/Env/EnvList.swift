import API
import APIClient
import ArgumentParser

struct EnvList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List environments by name.",
        discussion: """
            On a terminal, a table shows the first 100 and says whether there are more; everything else is whole: JSON, YAML,
            --quiet, and a table that goes into a pipe or a file.

            EXAMPLES
              microstax env list
              microstax env list --all
              microstax env list --mode overlay --label team=payments
              microstax env list -o json
            """)

    @Option(name: .long, help: ArgumentHelp("Only this mode.", valueName: "isolated|baseline|overlay"))
    var mode: ModeFilter?

    @Option(name: .long, help: ArgumentHelp("Only those with this label.", valueName: "key=value"))
    var label: String?

    @Option(name: .long, help: ArgumentHelp("Only the first so many.", valueName: "number"))
    var limit: Int?

    @Flag(name: .long, help: "Everything, also on a terminal.")
    var all = false

    @OptionGroup var common: CommonOptions

    /// More rows than this are not what somebody wants to see who typed the command.
    static let screenful = 100

    mutating func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit is a number from 1") }
        if limit != nil, all { throw ValidationError("--limit and --all exclude each other") }
        if let label, !label.contains("=") {
            throw ValidationError("--label is `\(label)`, which is not of the form key=value")
        }
    }

    func run() async throws {
        let isForEyes = common.output == .table && !common.quiet && Terminal.isTerminal(.output)
        let most = all ? nil : limit ?? (isForEyes ? Self.screenful : nil)
        let (environments, hasMore) = try await common.client()
            .environments(mode: mode?.rawValue, label: label, limit: most, brief: common.output == .table)
        try common.show(environments, ids: environments.map(\.id)) { EnvironmentTables.list(environments) }
        guard hasMore else { return }
        common.note(
            "these are the first \(environments.count); there are more: --all, or fewer with --mode and --label")
    }
}

enum ModeFilter: String, CaseIterable, ExpressibleByArgument {
    case isolated, baseline, overlay
}
