import API
import APIClient
import ArgumentParser

struct EnvRepair: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Mend what differs from what is wanted, once.",
        discussion: """
            For an environment whose Blueprint says `repair: report`; with `repair: auto` it is done anyway. A volume that \
            is gone is made again, empty, and its service is initialised again: put it back before, where you can. Of an \
            environment that is stopped or in error, that happens when it starts the next time.

            EXAMPLES
              microstax env repair shop
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @Flag(inversion: .prefixedNo, help: "Wait until nothing of it is open any more.")
    var wait = true

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let client = try common.client()
        var found = try await client.repairEnvironment(environment)
        if wait, !found.isEmpty {
            for deviation in found { common.note("mending: \(deviation.message.firstLine.visible)") }
            found = try await ended(found, client)
        }
        try common.show(found, ids: found.map(\.environment)) {
            found.isEmpty ? "there is nothing to mend\n" : DeviationTables.list(found, withNames: false)
        }
    }

    private func ended(_ asked: [DeviationView], _ client: APIClient) async throws -> [DeviationView] {
        let clock = ContinuousClock()
        let deadline = clock.now + (common.timeout?.duration ?? .seconds(300))
        while true {
            let now = try await client.deviations(of: environment).filter { deviation in
                asked.contains { $0.kind == deviation.kind && $0.service == deviation.service }
            }
            let open = now.filter { $0.state == "open" }
            if open.isEmpty { return now }
            guard clock.now < deadline else {
                throw CommandFailure(
                    .tryAgain, "not mended within the time limit",
                    causes: open.map { $0.message.firstLine.visible },
                    hint: "microstax env diagnose \(environment.visible)")
            }
            try await clock.sleep(for: .milliseconds(250))
        }
    }
}
