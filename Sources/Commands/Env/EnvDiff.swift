import API
import APIClient
import ArgumentParser

struct EnvDiff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show how one environment differs from another, or from what it was.",
        discussion: """
            What is wanted is compared, field by field, after everything is filled in and brought into one form: the same \
            meaning in other words is no difference.

            EXAMPLES
              microstax env diff shop feat-refunds
              microstax env diff shop@3 shop@5
              microstax env diff shop@3 shop -o json
            """)

    @Argument(help: ArgumentHelp("Name or id, with a revision where wanted.", valueName: "env[@revision]"))
    var first: String

    @Argument(help: ArgumentHelp("The same.", valueName: "env[@revision]"))
    var second: String

    @Flag(name: .long, help: "Exit with 2 where there is a difference.")
    var exitCode = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let found = try await common.client().difference(from: first, to: second)
        let text = DifferenceText(Terminal.palette(.output))
        try common.show(found, ids: found.services.map(\.service)) {
            found.isEmpty ? "\(first) and \(second) want the same\n" : text.spec(found)
        }
        if exitCode, !found.isEmpty { throw CommandFailure.silent(.notHealthy) }
    }
}
