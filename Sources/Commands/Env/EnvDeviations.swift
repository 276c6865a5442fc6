import API
import APIClient
import ArgumentParser

struct EnvDeviations: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deviations",
        abstract: "List what was found to differ from what is wanted, and what became of it.",
        discussion: """
            Processes that ended, services that are missing, changed or not wanted, lost volumes, files that somebody \
            else changed: whatever no execution explains. Mended by itself where the Blueprint says `repair: auto` (the \
            default), else with `microstax env repair`. Without a name: of every environment, and orphans, which are \
            what the runtime has of environments that nobody knows.

            EXAMPLES
              microstax env deviations shop
              microstax env deviations --state open
              microstax env deviations shop -o json
            """)

    @Argument(help: ArgumentHelp("Name or id; none for all.", valueName: "env"))
    var environment: String?

    @Option(name: .long, help: ArgumentHelp("Only those in this state.", valueName: "open|mended|gone"))
    var state: String?

    @OptionGroup var common: CommonOptions

    mutating func validate() throws {
        if let state, !["open", "mended", "gone"].contains(state) {
            throw ValidationError("--state is `\(state)`, which is none of open, mended, gone")
        }
    }

    func run() async throws {
        let found = try await common.client().deviations(of: environment, state: state)
        try common.show(found, ids: found.map(\.environment)) {
            found.isEmpty ? "there is no deviation\n" : DeviationTables.list(found, withNames: environment == nil)
        }
    }
}
