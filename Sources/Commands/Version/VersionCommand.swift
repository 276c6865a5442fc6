import API
import APIClient
import ArgumentParser

struct VersionCommand: AsyncParsableCommand {
    /// What `-o json` gives.
    struct Versions: Codable, Sendable {
        var client: String
        var server: HealthView?
    }

    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Show the versions of this client and of the server, where one runs.",
        discussion: """
            Starts no server.

            EXAMPLES
              microstax version
              microstax version -o json
            """)

    @OptionGroup var common: CommonOptions

    func run() async throws {
        var versions = Versions(client: productVersion, server: nil)
        do {
            versions.server = try await common.client(starting: false).health()
        } catch let failure as ConnectionFailure where failure.kind == .notRunning {
            // No server is an answer here.
        }
        try common.show(versions, ids: [productVersion]) {
            let server = versions.server.map { "\($0.version) (process \($0.pid), since \($0.startedAt))" }
            return "microstax  \(versions.client)\nserver     \(server ?? "not running")\n"
        }
    }
}
