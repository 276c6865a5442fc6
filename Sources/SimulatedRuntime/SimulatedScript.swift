/// The few words of a shell that simulated services understand, so that the rules of the port can be checked with them:
/// `echo …`, `exit n` and `exec sleep …`, separated by `;`. Everything else runs until it is stopped.
struct SimulatedScript {
    var output: [String] = []
    /// `nil` where it runs until it is stopped.
    var exitCode: Int32?

    init(_ command: [String]) {
        switch command.first {
        case "/bin/true": exitCode = 0
        case "/bin/false": exitCode = 1
        case "/bin/sh": read(command.last ?? "")
        default: break
        }
    }

    private mutating func read(_ script: String) {
        for statement in script.split(separator: ";").map({ $0.drop { $0 == " " } }) {
            if statement.hasPrefix("echo ") {
                output.append(String(statement.dropFirst(5).replacing(" >&2", with: "")))
            } else if statement.hasPrefix("exit ") {
                exitCode = Int32(statement.dropFirst(5))
                return
            } else {
                return
            }
        }
        exitCode = 0
    }

    /// A word without a slash is looked for, and is not there.
    static func isMissing(_ command: [String]) -> Bool { command.first?.hasPrefix("no-such") ?? true }
}
