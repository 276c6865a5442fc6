import API
import APIClient
import ArgumentParser
import Commands
import ControlPlane
import Foundation
import Orchestration
import Storage

/// `microstax backup`: what a state folder holds, in one file. It works on the folder itself, so also where no server
/// runs or could run.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Save and restore what a state folder holds.",
        discussion: """
            A backup has environments, revisions, ports, sealed secrets, executions and settings. It does not have the data
            of volumes, logs, or anything that runs. The key that secrets are sealed with goes in only with --with-key.
            """,
        subcommands: [BackupCreate.self, BackupRestoreCommand.self, BackupList.self, BackupVerify.self])

    static func folder() throws -> ServerFolder {
        ServerFolder(existing: try StateFolder(environment: ProcessInfo.processInfo.environment).path)
    }

    /// A path that does not depend on the working folder any more.
    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    static func summary(_ manifest: BackupManifest) -> String {
        let bytes = manifest.parts.reduce(0) { $0 + $1.bytes }
        return """
            created       \(manifest.createdAt) by microstax \(manifest.version)
            schema        \(manifest.schema)
            environments  \(manifest.environments.count)
            secrets       \(manifest.secretCount), \(manifest.hasKey ? "with their key" : "without their key")
            size          \(bytes) bytes

            """
    }
}

/// How the results of `backup` are written.
struct BackupOptions: ParsableArguments {
    @Option(name: [.short, .long], help: ArgumentHelp("How to write the result.", valueName: "table|json|yaml"))
    var output: OutputFormat = .table

    @Flag(name: .long, help: "Print nothing but errors; `list` prints only names.")
    var quiet = false

    func show(_ value: some Encodable, quietly names: [String] = [], table: () -> String) throws {
        if quiet {
            for name in names { print(name) }
        } else {
            print(try output.written(value, table: table), terminator: "")
        }
    }
}
