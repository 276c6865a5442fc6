import ArgumentParser

struct BaselineCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a baseline from a Blueprint.",
        discussion: """
            A baseline runs every service of its Blueprint; overlays inherit from it.

            EXAMPLES
              microstax baseline create --file examples/shop/baseline.yaml --wait
              microstax baseline create --file shop.yaml --wait --timeout 5m -o json
              microstax baseline create --file shop.yaml --dry-run
            """)

    @OptionGroup var create: CreateOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Creation(kind: .baseline, options: create, common: common).run()
    }
}
