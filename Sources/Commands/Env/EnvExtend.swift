import API
import APIClient
import ArgumentParser

struct EnvExtend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "extend",
        abstract: "Put off the time at which an environment is deleted by itself.",
        discussion: """
            Without an option it gets the ttl of its Blueprint once more, from now on. An end is only put off: one that is \
            later already stays as it is.

            EXAMPLES
              microstax env extend feat-refunds
              microstax env extend feat-refunds --ttl 2h
              microstax env extend feat-refunds --until 2026-12-24T18:00:00Z
              microstax env extend shop --never
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @Option(name: .long, help: ArgumentHelp("So long from now on, such as 2h or 7d.", valueName: "duration"))
    var ttl: TimeLimit?

    @Option(name: .long, help: ArgumentHelp("Until then, such as 2026-12-24T18:00:00Z.", valueName: "time"))
    var until: String?

    @Flag(name: .long, help: "Until somebody deletes it.")
    var never = false

    @Flag(name: .long, help: "Only say what would be.")
    var dryRun = false

    @OptionGroup var common: CommonOptions

    mutating func validate() throws {
        guard [ttl != nil, until != nil, never].count(where: { $0 }) <= 1 else {
            throw ValidationError("--ttl, --until and --never exclude each other")
        }
        if let until, Timestamp.milliseconds(until) == nil {
            throw ValidationError("--until is `\(until)`, which is not like 2026-12-24T18:00:00Z")
        }
    }

    func run() async throws {
        let expiry = PatchRequest.Expiry(
            ttlMilliseconds: ttl?.milliseconds, until: until, never: never ? true : nil)
        let found = try await common.client().patchEnvironment(
            environment, PatchRequest(expiry: expiry, dryRun: dryRun))
        try common.show(found, ids: [found.id]) {
            let keeps = dryRun ? "would be kept" : "is kept"
            guard let end = found.expiresAt else { return "\(found.name) \(keeps) until somebody deletes it\n" }
            return "\(found.name) \(keeps) until \(end) (\(Timestamp.until(end)))\n"
        }
    }
}
