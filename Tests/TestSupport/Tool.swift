import CPlatform
import Foundation
import Glibc

/// Runs other programs without blocking a thread of Swift's pool, of which a small machine has two.
///
/// Not with Foundation's `Process`: in a test that holds thousands of descriptors, that crashes.
package enum Tool {
    package struct Outcome: Sendable {
        /// 128 and the signal where one ended it.
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
            try Data((input ?? "").utf8).write(to: URL(filePath: files + "/in"))
            let pid = try start(program, arguments, environment, folder, files)
            var hasEnded = false
            defer {
                if !hasEnded {
                    var ignored: Int32 = 0
                    kill(pid, SIGKILL)
                    waitpid(pid, &ignored, 0)
                }
            }
            let status = try await eventually(
                "the end of \(program) \(arguments)", within: .seconds(90), every: .milliseconds(5)
            ) { () -> Int32? in
                var found: Int32 = 0
                return waitpid(pid, &found, WNOHANG) == pid ? found : nil
            }
            hasEnded = true
            return Outcome(
                exitCode: Self.exitCode(status), stdout: try Data(contentsOf: URL(filePath: files + "/out")),
                stderr: try Data(contentsOf: URL(filePath: files + "/err")))
        }
    }

    private static func exitCode(_ status: Int32) -> Int32 {
        status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }

    /// Nothing but the standard streams goes to the program: a copy of a socket would keep it open.
    private static func start(
        _ program: String, _ arguments: [String], _ environment: [String: String]?, _ folder: String?, _ files: String
    ) throws -> pid_t {
        let streams = [
            open(files + "/in", O_RDONLY | O_CLOEXEC),
            open(files + "/out", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600),
            open(files + "/err", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600),
        ]
        let variables = (environment ?? ProcessInfo.processInfo.environment).map { "\($0)=\($1)" }
        let words = ([program] + arguments).map { strdup($0) } + [nil]
        let settings = variables.map { strdup($0) } + [nil]
        let path = strdup(program)
        let place = folder.map { strdup($0) } ?? nil
        defer {
            for text in words + settings + [path, place] { free(text) }
            for stream in streams { close(stream) }
        }
        var result = msx_spawn_result()
        let isStarted = words.withUnsafeBufferPointer { words in
            settings.withUnsafeBufferPointer { settings in
                var request = msx_spawn_request()
                (request.stdin_fd, request.stdout_fd, request.stderr_fd) = (streams[0], streams[1], streams[2])
                request.extra_fd = -1
                request.path = UnsafePointer(path)
                request.argv = UnsafePointer(words.baseAddress)
                request.envp = UnsafePointer(settings.baseAddress)
                request.workdir = place.map { UnsafePointer($0) }
                return msx_spawn(&request, &result) == 0
            }
        }
        guard isStarted else {
            throw NeverHappened(description: "cannot start \(program): \(String(cString: strerror(result.error)))")
        }
        return result.pid
    }
}
