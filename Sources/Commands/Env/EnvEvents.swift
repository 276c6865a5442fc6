import API
import APIClient
import ArgumentParser

struct EnvEvents: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Show what happened to an environment, and who did it.",
        discussion: """
            Changes of state with their reasons, executions, warnings and deviations, oldest first; the last 1000 are kept, \
            also of an environment that is gone. With -f and -o json every event is a line of its own.

            EXAMPLES
              microstax env events shop
              microstax env events shop --since 24h -o json
              microstax env events shop -f
            """)

    @Argument(help: ArgumentHelp("Name or id, also of one that was deleted.", valueName: "env"))
    var environment: String

    @Flag(name: [.short, .long], help: "Go on with what comes, until it is gone.")
    var follow = false

    @Option(
        name: .long,
        help: ArgumentHelp("Nothing older, such as 10m or 2026-11-20T19:24:05Z.", valueName: "duration|time"))
    var since: String?

    @Option(name: .long, help: ArgumentHelp("Only so many of the events that there are.", valueName: "events"))
    var tail: Int = 100

    @OptionGroup var common: CommonOptions

    mutating func validate() throws {
        if tail < 0 { throw ValidationError("--tail is \(tail), which is less than nothing") }
        try Since.check(since)
    }

    func run() async throws {
        let client = try common.client()
        let from = since.map { text in
            TimeLimit(argument: text).map { Timestamp.now - $0.milliseconds } ?? Timestamp.milliseconds(text) ?? 0
        }
        let writer = HistoryWriter(palette: Terminal.palette(.output))
        guard follow else {
            let events = try await client.history(of: environment, since: from, limit: tail)
            return try common.show(events, ids: events.map { String($0.sequence) }) {
                events.map(writer.text).joined()
            }
        }
        let following = HistoryFollowing(
            client: client, environment: environment, since: from, tail: tail, revive: try common.reviver())
        let (output, quiet) = (common.output, common.quiet)
        try await Limited.run(common.timeout?.duration) {
            try await following.run { event in
                Terminal.write(quiet ? "\(event.sequence)\n" : try writer.written(event, output))
            }
        }
    }
}
