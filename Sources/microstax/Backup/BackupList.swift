import ArgumentParser
import Commands
import ControlPlane

struct BackupList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show what is in a backup.",
        discussion: """
            EXAMPLES
              microstax backup list nightly.tar
              microstax backup list nightly.tar -o json
            """)

    @Argument(help: "The backup.", completion: .file())
    var file: String

    @OptionGroup var options: BackupOptions

    func run() async throws {
        let manifest = try BackupFile(path: BackupCommand.absolute(file)).verify()
        try options.show(manifest, quietly: manifest.environments.map(\.name)) {
            BackupCommand.summary(manifest) + "\n"
                + Table(
                    ["NAME", "MODE", "STATE", "REVISION", "SECRETS", "VOLUMES"],
                    manifest.environments.map {
                        [
                            $0.name, $0.mode, $0.state, "\($0.revision)", "\($0.secrets.count)",
                            $0.volumes.isEmpty ? "0" : "\($0.volumes.count), not in it",
                        ]
                    }
                ).rendered()
        }
    }
}
