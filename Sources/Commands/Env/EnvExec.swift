import APIClient
import ArgumentParser

struct EnvExec: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Run a command in a service, with its folder, user, variables and secrets.",
        discussion: """
            On a terminal the command gets one too, as large as this one, and Ctrl-C is its own. Otherwise input and \
            output are passed on as they are, stdout and stderr apart. Ends with the command's exit code (128 + signal); \
            127 where there is no such program. The command, and all that it started, ends with this one.

            EXAMPLES
              microstax env exec shop payments -- sh
              microstax env exec shop orders-db -- psql -c 'select 1'
              microstax env exec shop payments -e DEBUG=1 --no-tty -- env
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String

    @Argument(help: ArgumentHelp("In which service; it need not run.", valueName: "service"))
    var service: String

    @Argument(parsing: .postTerminator, help: ArgumentHelp("Program and arguments, behind --.", valueName: "command"))
    var command: [String] = []

    @Flag(name: [.short, .customLong("stdin")], help: "Pass stdin on, which is so anyway.")
    var input = false

    @Flag(name: .customLong("no-stdin"), help: "Leave stdin alone; the command reads an empty one.")
    var noInput = false

    @Flag(name: [.short, .long], help: "Give the command a terminal although this is none.")
    var tty = false

    @Flag(name: .customLong("no-tty"), help: "Give it none although this is one.")
    var noTTY = false

    @Option(
        name: [.customShort("e"), .long],
        help: ArgumentHelp("A variable more; may be given again.", valueName: "name=value"))
    var env: [String] = []

    @OptionGroup var common: CommonOptions

    mutating func validate() throws {
        guard !command.isEmpty else {
            throw ValidationError(
                "say what to run behind --, such as: microstax env exec \(environment) \(service) -- sh")
        }
        if tty && noTTY { throw ValidationError("--tty and --no-tty cannot both be") }
        if input && noInput { throw ValidationError("--stdin and --no-stdin cannot both be") }
        if let wrong = env.first(where: { !$0.contains("=") || $0.hasPrefix("=") }) {
            throw ValidationError("--env is `\(wrong)`, which is not like NAME=value")
        }
    }

    func run() async throws {
        let client = try common.client()
        let isTerminal = LocalTerminal.isInput && Terminal.isTerminal(.output)
        let run = ExecRun(
            client: client, environment: environment, service: service, command: command, env: variables,
            passesInput: !noInput, hasTerminal: tty || (isTerminal && !noTTY && !noInput))
        try await Limited.run(common.timeout?.duration) {
            do {
                let code = try await run.run()
                if code != 0 { throw ExitCode(code) }
            } catch let problem as ProgramProblem {
                let report = ErrorReport(CommandFailure(.failed, problem.message, hint: problem.hint))
                Terminal.write(report.text(Terminal.palette(.errors)) + "\n", to: .errors)
                throw ExitCode(problem.exitCode)
            }
        }
    }

    /// The last of a name wins.
    private var variables: [String: String] {
        env.reduce(into: [:]) { variables, text in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            variables[String(parts[0])] = String(parts[1])
        }
    }
}
