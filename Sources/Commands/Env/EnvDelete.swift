import API
import APIClient
import ArgumentParser

struct EnvDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete environments and all that they have.",
        discussion: """
            Processes, data, ports and addresses go. A baseline that overlays stand on is refused, naming them.

            EXAMPLES
              microstax env delete feat-refunds
              microstax env delete feat-refunds shop
              microstax env delete shop --dry-run
              microstax env delete env-4dq2n7c3ab --orphan
            """)

    @Argument(help: ArgumentHelp("Names or ids.", valueName: "env"))
    var environments: [String]

    @Flag(name: .long, help: "Remove what the runtime has of environments that nobody knows, by id.")
    var orphan = false

    @OptionGroup var delete: DeleteOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        guard !orphan else { return try await deleteOrphans() }
        try await Deletion(targets: environments, mode: nil, options: delete, common: common).run()
    }

    private func deleteOrphans() async throws {
        let client = try common.client()
        if delete.dryRun {
            let found = try await client.deviations(of: nil, state: "open").filter { deviation in
                deviation.kind == "orphan" && environments.contains(deviation.environment)
            }
            return try common.show(found, ids: found.map(\.environment)) {
                found.map { "\($0.environment) would be removed with its data; nothing was done\n" }.joined()
            }
        }
        var gone: [DeviationView] = []
        for id in environments { gone.append(try await client.deleteOrphan(id)) }
        try common.show(gone, ids: environments) { gone.map { "\($0.environment) is gone\n" }.joined() }
    }
}
