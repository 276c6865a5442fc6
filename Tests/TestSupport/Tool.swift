import Foundation

/// Runs other programs without blocking a thread of Swift's pool, of which a small machine has two.
package enum Tool {
    package struct Outcome: Sendable {
        package let exitCode: Int32
        package let stdout: Data
        package let stderr: Data
    }

    /// Runs a program to its end, for at most 90 s; it is killed when the test gives up.
    package static func run(
        _ program: String, _ arguments: [String], environment: [String: String]? = nil, folder: String? = nil,
        input: String? = nil
    ) async throws -> Outcome {
        try await withTemporaryFolder { files in
            let process = Process()
            process.executableURL = URL(filePath: program)
            process.arguments = arguments
            if let environment { process.environment = environment }
            if let folder { process.currentDirectoryURL = URL(filePath: folder) }
            for (name, text) in ["in": input ?? "", "out": "", "err": ""] {
                try Data(text.utf8).write(to: URL(filePath: "\(files)/\(name)"))
            }
            let handles = [
                try FileHandle(forReadingFrom: URL(filePath: files + "/in")),
                try FileHandle(forWritingTo: URL(filePath: files + "/out")),
                try FileHandle(forWritingTo: URL(filePath: files + "/err")),
            ]
            (process.standardInput, process.standardOutput, process.standardError) = (
                handles[0], handles[1], handles[2]
            )
            let started = Result { try process.run() }
            for handle in handles { try handle.close() }
            try started.get()
            defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
            try await eventually("the end of \(program) \(arguments)", within: .seconds(90), every: .milliseconds(5)) {
                process.isRunning ? nil : true
            }
            return Outcome(
                exitCode: process.terminationStatus, stdout: try Data(contentsOf: URL(filePath: files + "/out")),
                stderr: try Data(contentsOf: URL(filePath: files + "/err")))
        }
    }
}
