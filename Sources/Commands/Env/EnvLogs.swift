import API
import APIClient
import ArgumentParser

struct EnvLogs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show what the services of an environment say, merged.",
        discussion: """
            Services that an overlay inherits are logged by the environment that runs them. With -o json every line \
            is an object of its own. --previous shows why something was started again: the lines of each service from \
            its last start but one to its last start.

            EXAMPLES
              microstax env logs shop
              microstax env logs shop --service payments,orders --tail 50 -f
              microstax env logs shop --since 10m --timestamps
              microstax env logs shop --service payments --previous --tail 20 -o json
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @Option(name: .long, help: ArgumentHelp("Only these services, by comma; may be given again.", valueName: "names"))
    var service: [String] = []

    @Flag(name: [.short, .long], help: "Go on with what comes.")
    var follow = false

    @Option(
        name: .long,
        help: ArgumentHelp("Nothing older, such as 10m or 2026-11-20T19:24:05Z.", valueName: "duration|time"))
    var since: String?

    @Option(name: .long, help: ArgumentHelp("Only so many of the lines that there are.", valueName: "lines"))
    var tail: Int?

    @Flag(name: .long, help: "Only the run before the last one of each service.")
    var previous = false

    @Flag(name: [.short, .long], help: "Begin every line with its time, in UTC.")
    var timestamps = false

    @OptionGroup var common: CommonOptions

    mutating func validate() throws {
        if previous, follow { throw ValidationError("--previous shows a run that has ended; it cannot be followed") }
        if let tail, tail < 0 { throw ValidationError("--tail is \(tail), which is less than nothing") }
        try Since.check(since)
    }

    func run() async throws {
        let client = try common.client()
        let services = service.flatMap { $0.split(separator: ",").map(String.init) }
        let names = try await client.environment(environment).services.map(\.name)
        if let unknown = services.first(where: { !names.contains($0) }) {
            throw CommandFailure(
                .failed, "\(environment) has no service \(unknown.visible)",
                hint: "it has: " + names.joined(separator: ", "))
        }
        let from = since.map { text in
            TimeLimit(argument: text).map { Timestamp.now - $0.milliseconds } ?? Timestamp.milliseconds(text) ?? 0
        }
        let writer = LogWriter(
            services: services.isEmpty ? names : services, palette: Terminal.palette(.output), showsTimes: timestamps)
        let lines = LogFollowing(
            client: client, environment: environment, services: services, follow: follow, since: from, tail: tail,
            previous: previous, revive: try common.reviver())
        let output = common.output
        let whom = services.isEmpty ? "any service" : services.map(\.visible).joined(separator: ", ")
        let silence = "there is no previous run of \(whom) in \(environment.visible)\n"
        let saysSilence = previous && !common.quiet
        try await Limited.run(common.timeout?.duration) {
            let hasShown = try await lines.run { Terminal.write(try writer.written($0, output)) }
            if !hasShown, saysSilence { Terminal.write(silence, to: .errors) }
        }
    }
}
