import API
import APIClient
import ArgumentParser

struct EnvDiagnose: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diagnose",
        abstract: "Say what is wrong with an environment, why, and what mends it.",
        discussion: """
            Looks at states, probes, exit codes, output, listening sockets, references, executions, the gateway and \
            recorded deviations. Each finding has its cause, the lines that show it, what follows from it and the \
            command that mends it; --apply carries out a suggestion that the platform can do by itself, and waits. \
            Ends with 2 when a finding is an error.

            EXAMPLES
              microstax env diagnose shop
              microstax env diagnose shop -o json
              microstax env diagnose shop --apply retry
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @Option(name: .long, help: ArgumentHelp("Carry out this suggestion.", valueName: "suggestion"))
    var apply: String?

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let client = try common.client()
        let found = try await client.diagnosis(of: environment)
        if let apply { return try await carryOut(apply, found, client) }
        try common.show(found, ids: found.findings.map(\.code)) {
            DiagnosisTables(palette: Terminal.palette(.output)).letter(found)
        }
        if !found.healthy { throw CommandFailure.silent(.notHealthy) }
    }

    private func carryOut(_ id: String, _ found: DiagnosisView, _ client: APIClient) async throws {
        let name = found.environment.name
        let suggestions = found.findings.flatMap(\.suggestions)
        guard let suggestion = suggestions.first(where: { $0.id == id }) else {
            let ids = Set(suggestions.filter(\.applicable).map(\.id)).sorted()
            throw CommandFailure(
                .failed, "there is no suggestion \(id.visible) for \(name) now",
                hint: ids.isEmpty
                    ? "`microstax env diagnose \(name)` says what there is" : "there is: " + ids.joined(separator: ", ")
            )
        }
        guard suggestion.applicable, let operation = suggestion.operation.flatMap(API.Operation.init(rawValue:)) else {
            throw CommandFailure(
                .failed, "only a person can do this: \(suggestion.title.visible)",
                hint: suggestion.command.map { "type: \($0)" })
        }
        let waiting = Waiting(client: client, common: common)
        let change: ChangeView
        if operation == .restartEnvironment {
            let services = suggestion.target.map { [$0] } ?? []
            change = try await client.restartEnvironment(found.environment.id, RestartRequest(services: services))
        } else {
            change = try await client.change(suggestion.target ?? found.environment.id, operation, ChangeRequest())
        }
        guard let execution = change.execution else { return try show(change.environment) }
        try show(
            try await waiting.untilReached(
                .execution(execution.id), change.environment.id, named: change.environment.name, doing: "recover"
            ).environment)
    }

    private func show(_ environment: EnvironmentView) throws {
        try common.show(environment, ids: [environment.id]) { "\(environment.name) is \(environment.state)\n" }
    }
}
