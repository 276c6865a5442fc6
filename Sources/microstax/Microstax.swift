import API
import ArgumentParser
import Commands

/// The one binary: client commands, and `serve`, `gateway` and `supervise`, which run as processes of their own.
@main
struct Microstax: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "microstax",
        abstract:
            "Environments for every change: a shared baseline, sparse overlays, requests that find the right copy.",
        discussion: """
            EXAMPLES
              microstax baseline create --file examples/shop/baseline.yaml --wait
              microstax overlay create --baseline shop --file examples/shop/overlay.yaml --wait
              microstax env list
            """,
        version: productVersion,
        subcommands: ClientCommands.subcommands + [
            ServeCommand.self, BackupCommand.self, TrustCommand.self, GatewayCommand.self, SuperviseCommand.self,
        ])

    static func main() async {
        await ClientCommands.run(Microstax.self)
    }
}
