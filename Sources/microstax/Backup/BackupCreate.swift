import API
import ArgumentParser
import Commands
import ControlPlane
import Orchestration

struct BackupCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Save the state folder into one file; the server may run.",
        discussion: """
            The file is written whole or not at all, for you alone (mode 0600). With --with-key it opens every secret:
            keep it like one.

            EXAMPLES
              microstax backup create /backups/microstax-$(date +%F).tar
              microstax backup create everything.tar --with-key
            """)

    @Argument(help: "The file to write.", completion: .file())
    var file: String

    @Flag(help: "Also save the key that secrets are sealed with.")
    var withKey = false

    @Flag(help: "Replace the file where it is there.")
    var force = false

    @OptionGroup var options: BackupOptions

    func run() async throws {
        let path = BackupCommand.absolute(file)
        let manifest = try await BackupFile(path: path).create(
            from: try BackupCommand.folder(), withKey: withKey, replacing: force, version: productVersion,
            now: Outside.real.now())
        try options.show(manifest) {
            var text = BackupCommand.summary(manifest) + "\nwrote \(path)\n"
            let volumes = manifest.environments.reduce(0) { $0 + $1.volumes.count }
            if volumes > 0 { text += "not in it: the data of \(volumes) volumes, and logs\n" }
            if !manifest.hasKey, manifest.keyFingerprint != nil {
                text +=
                    "not in it: the key, without which secrets and Blueprints cannot be opened; keep "
                    + "secrets.key of the state folder apart, or say --with-key\n"
            }
            return text
        }
    }
}
