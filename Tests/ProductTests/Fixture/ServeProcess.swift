import Foundation
import TestSupport

/// `microstax serve` in the foreground, as a service manager starts it, or another command that lasts. It is killed when the test gives up.
final class ServeProcess {
    private let process = Process()
    let log: String

    init(
        _ product: Product, _ arguments: [String] = [], command: String = "serve", environment: [String: String] = [:]
    ) throws {
        log = product.folder + "/\(command).log"
        try Data().write(to: URL(filePath: log))
        process.executableURL = URL(filePath: Product.executable)
        process.arguments = [command] + arguments
        var variables = ProcessInfo.processInfo.environment
        variables.merge(product.variables) { $1 }
        variables.merge(environment) { $1 }
        process.environment = variables
        process.currentDirectoryURL = URL(filePath: "/")
        let file = try FileHandle(forWritingTo: URL(filePath: log))
        process.standardOutput = file
        process.standardError = file
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    var pid: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }
    func send(_ signal: Int32) { kill(pid, signal) }

    /// Waits for the end and gives the exit code; 128 and the signal where one ended it.
    func ended(within limit: Duration = .seconds(30)) async throws -> Int32 {
        try await eventually("the end of the command", within: limit, lastSeen: { self.said }) {
            process.isRunning ? nil : true
        }
        return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    }

    var said: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
}
