import API
import APIClient
import ArgumentParser
import Blueprints

struct EnvUpdate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Make an environment into another revision of itself, from a Blueprint; or protect it.",
        discussion: """
            What changed is started anew, what is new is started and initialised, what is gone stops, and the rest goes on
            running. Data stays. An update that fails is gone on with by `env retry`, or taken back by `env undo`. A \
            protected environment is neither deleted by anybody nor by its own ttl.

            EXAMPLES
              microstax env update shop --file shop.yaml
              microstax env update shop --file shop.yaml --dry-run
              microstax env update shop --protect
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The Blueprint.", valueName: "file"))
    var file: String?

    @Flag(inversion: .prefixedNo, help: "Refuse to delete it, or allow it again.")
    var protect: Bool?

    @OptionGroup var options: StateChangeOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        guard file != nil || protect != nil else {
            throw CommandFailure(
                .usage, "nothing is said that is to change", hint: "give --file, --protect or --no-protect")
        }
        if let protect {
            let found = try await common.client().patchEnvironment(
                environment, PatchRequest(protected: protect, dryRun: options.dryRun))
            if file == nil {
                return try common.show(found, ids: [found.id]) {
                    "\(found.name) is \(found.protected == true ? "protected against deletion" : "not protected")\n"
                }
            }
        }
        guard let file else { return }
        try await Self.updating(environment, by: file, options, common).run()
    }

    static func updating(
        _ environment: String, by file: String, _ options: StateChangeOptions, _ common: CommonOptions
    ) -> StateChange {
        StateChange(
            targets: [environment], words: .init(done: "updated", failing: "update"), options: options, common: common
        ) { target, client in
            let mode = EnvironmentMode(rawValue: try await client.environment(target).mode)
            var input = try BlueprintInput(path: file, .environment(mode))
            try await input.fetchLayers(common)
            try input.requireValid("; nothing was sent")
            for warning in input.diagnostics { common.note(warning.rendered) }
            var request = input.request(mode: nil, parent: nil)
            request.allow = options.allow
            request.dryRun = options.dryRun
            return try await client.updateEnvironment(target, request)
        }
    }
}
