import ArgumentParser

struct CompletionCommand: ParsableCommand {
    enum Shell: String, CaseIterable, ExpressibleByArgument {
        case bash, zsh, fish
    }

    static let configuration = CommandConfiguration(
        commandName: "completion",
        abstract: "Print a completion script for a shell.",
        discussion: """
            EXAMPLES
              source <(microstax completion bash)
              microstax completion zsh > ~/.zfunc/_microstax
              microstax completion fish > ~/.config/fish/completions/microstax.fish
            """)

    @Argument(help: ArgumentHelp("The shell.", valueName: "bash|zsh|fish"))
    var shell: Shell

    func run() throws {
        // The root answers it, because only the root knows every command.
        throw CompletionRequest(shell: shell.rawValue)
    }
}

/// Asks ``ClientCommands/run(_:_:)`` for the root's completion script.
struct CompletionRequest: Error {
    let shell: String
}
