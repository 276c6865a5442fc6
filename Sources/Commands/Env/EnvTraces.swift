import API
import APIClient
import ArgumentParser

struct EnvTraces: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "traces",
        abstract: "Show the requests of an environment with everything that followed from them.",
        discussion: """
            Lists traces with a hop from the environment's services, in its context, or answered by its copies, newest \
            first. With the id of one, or its beginning, shows its hops: who called whom, whose copy answered, by which \
            carrier the context came (BY), and when. LEAK marks a caller that dropped the context of what it was \
            answering, with what it would have to forward. A hop with ~ named no trace and is shown where it must belong. \
            The gateway keeps the last 128 MiB.

            EXAMPLES
              microstax env traces shop
              microstax env traces shop --status error --service payments --since 10m
              microstax env traces feat-refunds --leaks --follow
              microstax env traces shop 4bf92f35
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @Argument(help: ArgumentHelp("Show this one with its hops; the beginning of its id is enough.", valueName: "trace"))
    var trace: String?

    @Flag(name: [.short, .long], help: "Go on with what comes.")
    var follow = false

    @Option(
        name: .long,
        help: ArgumentHelp("Only with a hop that was answered so: 500, 5xx, or error.", valueName: "500|5xx|error"))
    var status: String?

    @Option(name: .long, help: ArgumentHelp("Only with one of these services, by comma.", valueName: "names"))
    var service: [String] = []

    @Option(name: .long, help: ArgumentHelp("Only what took at least so long, such as 200ms.", valueName: "duration"))
    var minDuration: TimeLimit?

    @Flag(name: .long, help: "Only those in which a context was lost.")
    var leaks = false

    @Option(
        name: .long,
        help: ArgumentHelp("Nothing older, such as 10m or 2026-11-20T19:24:05Z.", valueName: "duration|time"))
    var since: String?

    @Option(name: .long, help: ArgumentHelp("At most so many of those that there are.", valueName: "traces"))
    var limit: Int = 30

    @OptionGroup var common: CommonOptions

    mutating func validate() throws {
        if !(1...1000).contains(limit) { throw ValidationError("--limit is from 1 to 1000") }
        try Since.check(since)
        let filters = follow || status != nil || !service.isEmpty || minDuration != nil || leaks || since != nil
        if trace != nil, filters { throw ValidationError("a single trace is shown as it is: no filters, no --follow") }
    }

    func run() async throws {
        let client = try common.client()
        if let trace {
            let found = try await client.trace(trace, of: environment)
            let waterfall = TraceWaterfall(
                width: Terminal.size(.output).width, palette: Terminal.palette(.output))
            return try common.show(found, ids: [found.id]) { waterfall.written(found) }
        }
        let from = since.map { text in
            TimeLimit(argument: text).map { Timestamp.now - $0.milliseconds } ?? Timestamp.milliseconds(text) ?? 0
        }
        let question = TraceQuestion(
            environment: environment, status: status,
            services: service.flatMap { $0.split(separator: ",").map(String.init) },
            minDurationMilliseconds: minDuration?.milliseconds, onlyLeaks: leaks)
        guard follow else {
            let found = try await question.ask(client, since: from, limit: limit)
            if found.isEmpty, common.output == .table { common.note("no traces; send a request through its address") }
            return try common.show(found, ids: found.map(\.id)) {
                found.isEmpty ? "" : TraceTables.list(found, palette: Terminal.palette(.output))
            }
        }
        let following = TraceFollowing(client: client, question: question, since: from, limit: limit)
        let (output, quiet) = (common.output, common.quiet)
        try await Limited.run(common.timeout?.duration) {
            var lines = TraceLines(palette: Terminal.palette(.output))
            try await following.run { Terminal.write(quiet ? $0.id + "\n" : try lines.written($0, output)) }
        }
    }
}

/// Which traces a person wants.
struct TraceQuestion: Sendable {
    let environment: String
    let status: String?
    let services: [String]
    let minDurationMilliseconds: Int64?
    let onlyLeaks: Bool

    func ask(_ client: APIClient, since: Int64?, limit: Int) async throws -> [TraceView] {
        try await client.traces(
            of: environment, since: since, limit: limit, status: status, services: services,
            minDurationMilliseconds: minDurationMilliseconds, onlyLeaks: onlyLeaks)
    }
}
