import API
import ArgumentParser
import Commands
import ControlPlane
import Foundation
import Orchestration
import Storage

struct BackupRestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put what a backup holds into the state folder.",
        discussion: """
            Refuses a state folder that is not empty. With --force the server is ended first, and store and key are put aside
            within the folder; services go on, and the data of volumes stays. The next command starts a server that finds
            what runs and brings up what does not.

            EXAMPLES
              microstax backup restore everything.tar
              microstax backup restore nightly.tar --key secrets.key
              microstax backup restore nightly.tar --force
            """)

    @Argument(help: "The backup.", completion: .file())
    var file: String

    @Flag(help: "Put aside what the state folder holds, and end its server.")
    var force = false

    @Option(help: ArgumentHelp("The key that its secrets are sealed with.", valueName: "file"), completion: .file())
    var key: String?

    @Flag(help: "Restore without the key: secrets and Blueprints stay closed.")
    var withoutKey = false

    @OptionGroup var options: BackupOptions

    func validate() throws {
        if key != nil, withoutKey { throw ValidationError("--key and --without-key exclude each other") }
    }

    func run() async throws {
        let backup = BackupFile(path: BackupCommand.absolute(file))
        // Before anything is ended for it.
        let manifest = try backup.verify()
        let path = try BackupCommand.folder().path
        if force { try await ServerProcess(folder: path).stop() }
        let restore = BackupRestore(backup, into: try ServerFolder(path: path))
        let stamp = timestamp(Outside.real.now()).filter { $0.isNumber }
        let outcome = try await whenFree { try await restore.run(wantedKey, replacing: force, stamp: stamp) }
        try options.show(outcome) { Self.told(outcome, manifest, path) }
    }

    /// A server that was told to stop may hold the folder for a moment longer.
    private func whenFree(_ body: () async throws -> BackupRestore.Outcome) async throws -> BackupRestore.Outcome {
        let deadline = ContinuousClock.now + .seconds(force ? 10 : 0)
        while true {
            do {
                return try await body()
            } catch let error as StoreError where error.code == .locked && ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    private var wantedKey: BackupRestore.Key {
        if withoutKey { return BackupRestore.Key.none }
        guard let key else { return .usual }
        return .file(BackupCommand.absolute(key))
    }

    private static func told(_ outcome: BackupRestore.Outcome, _ manifest: BackupManifest, _ path: String) -> String {
        var text = "restored \(outcome.environments.count) environments of \(manifest.createdAt) into \(path)\n"
        if let aside = outcome.aside { text += "what was there is in \(aside)\n" }
        if !outcome.missingVolumes.isEmpty {
            text += "these volumes are not there any more and start empty:\n"
            for volume in outcome.missingVolumes { text += "  \(volume)\n" }
        }
        if !outcome.hasKey, manifest.keyFingerprint != nil {
            text += "without the key, \(BackupRestore.closed(manifest)) cannot be opened.\n"
            text +=
                "put the key into \(path)/secrets.key before the server starts, or delete and create those "
                + "environments again\n"
        }
        return text + "next: microstax serve --detach, or any other command\n"
    }
}
