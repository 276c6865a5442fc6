import Blueprints
import EnvironmentGraph
import Foundation
import HTTPTransport
import ProcessRuntime
import Runtimes

/// The programs that tests of process runtimes start: a supervisor, a server that can be killed, services.
@main
enum SupervisorFixture {
    static func main() async throws {
        let words = Array(CommandLine.arguments.dropFirst())
        switch words.first {
        case "supervise":
            exit(await SupervisorProcess.run(Array(words.dropFirst())))
        case "server" where words.count == 3:
            try await server(root: words[1], environment: words[2])
        case "serve-http":
            try await serveHTTP()
        case "measure":
            try await measure()
        case "spam" where words.count == 2:
            spam(Int(words[1]) ?? 0)
        default:
            FileHandle.standardError.write(Data("usage: supervisor-fixture supervise|server|serve-http|spam\n".utf8))
            exit(64)
        }
    }

    /// Applies one service, says so, and then waits to be killed.
    private static func server(root: String, environment: String) async throws {
        let runtime = ProcessRuntime(root: root, supervisorCommand: [CommandLine.arguments[0], "supervise"])
        try await runtime.apply(
            Workload(
                environment: EnvironmentID(rawValue: environment), service: "ticker", generation: 1,
                command: ["/bin/sh", "-c", "while :; do echo tick; sleep 0.1; done"], workdir: "/"))
        print("applied")
        fflush(nil)
        try await Task.sleep(for: .seconds(600))
    }

    /// Answers on `PORT` with the status that the file `STATUS_FILE` holds, 200 without that file.
    private static func serveHTTP() async throws {
        let environment = ProcessInfo.processInfo.environment
        guard let port = environment["PORT"].flatMap({ Int($0) }) else { exit(65) }
        let server = HTTPServer(address: .tcp(host: "127.0.0.1", port: port)) { _, _ in
            // No file is the usual case.
            let text = environment["STATUS_FILE"].flatMap { try? String(contentsOfFile: $0, encoding: .utf8) }
            let status = text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) } ?? 200
            return HTTPResponse(status: status, body: .bytes(Array("the body\n".utf8)))
        }
        try await server.run()
    }

    /// Numbers for a person, from a release build: our own time around a service that is ready at once.
    private static func measure() async throws {
        let root = NSTemporaryDirectory() + "msx-measure-\(getpid())"
        let runtime = ProcessRuntime(root: root, supervisorCommand: [CommandLine.arguments[0], "supervise"])
        let clock = ContinuousClock()
        for round in 1...5 {
            let id = EnvironmentID(rawValue: "env-measure\(round)")
            let start = clock.now
            var workload = Workload(
                environment: id, service: "a", generation: 1, command: ["/bin/sleep", "600"], workdir: "/")
            workload.probes.readiness = ProbeSpec(.exec(command: ["/bin/true"]))
            try await runtime.apply(workload)
            let applied = clock.now - start
            for try await statuses in runtime.changes(of: id) where statuses.first?.state == .ready { break }
            let ready = clock.now - start
            workload.service = "b"
            let second = try await clock.measure { try await runtime.apply(workload) }
            let observing = try await clock.measure { _ = try await runtime.observe(id) }
            let deleting = try await clock.measure { try await runtime.delete(id) }
            print(
                "new supervisor and apply \(applied), ready \(ready), second apply \(second),",
                "observe \(observing), delete \(deleting)")
        }
        try FileManager.default.removeItem(atPath: root)
    }

    private static func spam(_ lines: Int) {
        for number in 1...max(lines, 1) { print("line \(number) \(String(repeating: "x", count: 60))") }
        fflush(nil)
    }
}
