import API
import ArgumentParser
import Glibc

/// The commands of `microstax` that talk to a server, or work without one; the server's own (`serve`, `gateway`) are the
/// composition root's, which makes one root command of both.
///
/// A command parses, asks ``APIClient/APIClient``, and gives what it got to one renderer (``OutputFormat``, ``Table``).
/// Results go to stdout, everything else to stderr. What goes wrong is thrown, and becomes text and an exit code in one
/// place, ``ErrorReport``. This module knows nothing of how a server works.
package enum ClientCommands {
    package static var subcommands: [any ParsableCommand.Type] {
        [
            EnvCommand.self, BaselineCommand.self, OverlayCommand.self, LayerCommand.self, BlueprintCommand.self,
            ExecutionCommand.self,
            DoctorCommand.self, VersionCommand.self, CompletionCommand.self,
        ]
    }

    /// What `microstax` alone prints.
    package static let overview = """
        microstax \(productVersion): environments of microservices, from one Blueprint.

          microstax baseline create --file shop.yaml --wait       run a whole stack, shared
          microstax overlay create --baseline shop --file my.yaml --wait
                                                                  run only what a change touches
          microstax env list                                      what there is
          microstax env status shop                               how it does, service by service
          microstax env logs shop --service payments -f           what it says
          microstax env diagnose shop                             what is wrong with it, and what mends it
          microstax env delete my-change                          remove it and all that it has
          microstax doctor                                        what this machine lacks

        The local server starts by itself. `microstax --help` names every command, and
        `microstax <noun> <verb> --help` explains one.

        """

    /// Runs this process's command line and ends the process.
    package static func run<Root: ParsableCommand>(_ root: Root.Type) async -> Never {
        exit(await run(root, Array(CommandLine.arguments.dropFirst())))
    }

    /// Parses and runs one command line.
    ///
    /// - Returns: the exit code, after everything has been printed.
    package static func run<Root: ParsableCommand>(_ root: Root.Type, _ arguments: [String]) async -> Int32 {
        if arguments.isEmpty {
            Terminal.write(overview)
            return CommandStatus.done.rawValue
        }
        do {
            if let failure = UnknownCommand.failure(in: arguments, root) { throw failure }
            var command = try root.parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return CommandStatus.done.rawValue
        } catch {
            return report(error, root)
        }
    }

    private static func report<Root: ParsableCommand>(_ error: any Error, _ root: Root.Type) -> Int32 {
        if let request = error as? CompletionRequest, let shell = CompletionShell(rawValue: request.shell) {
            Terminal.write(root.completionScript(for: shell) + "\n")
            return CommandStatus.done.rawValue
        }
        let code = root.exitCode(for: error)
        if code == .success {
            Terminal.write(root.fullMessage(for: error) + "\n")
            return code.rawValue
        }
        if let code = error as? ExitCode { return code.rawValue }
        let palette = Terminal.palette(.errors)
        if code == .validationFailure {
            var text = root.fullMessage(for: error)
            if text.hasPrefix("Error: ") {
                text = palette.red(palette.bold("error:")) + " " + text.dropFirst("Error: ".count)
            }
            Terminal.write(text + "\n", to: .errors)
            return CommandStatus.usage.rawValue
        }
        let report = ErrorReport(error)
        let text = report.text(palette)
        if !text.isEmpty { Terminal.write(text + "\n", to: .errors) }
        return report.status.rawValue
    }
}
