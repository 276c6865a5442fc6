import ArgumentParser
import Commands
import ControlPlane

struct BackupVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read every byte of a backup and compare it with what was written.",
        discussion: """
            EXAMPLES
              microstax backup verify nightly.tar
            """)

    @Argument(help: "The backup.", completion: .file())
    var file: String

    @OptionGroup var options: BackupOptions

    func run() async throws {
        let path = BackupCommand.absolute(file)
        let manifest = try BackupFile(path: path).verify()
        try options.show(manifest) { "\(path) is whole\n" }
    }
}
