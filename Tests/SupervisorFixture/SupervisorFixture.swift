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
        case "use" where words.count == 3:
            try await use(milliseconds: Int64(words[1]) ?? 0, mebibytes: Int(words[2]) ?? 0)
        case "spend" where words.count == 2:
            spend(milliseconds: Int64(words[1]) ?? 0)
        case "read-log" where words.count == 2:
            try await readLog(words[1])
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

    /// Holds so much memory, spends so much processor time, says so, and stays.
    private static func use(milliseconds: Int64, mebibytes: Int) async throws {
        let held = [UInt8](repeating: 1, count: mebibytes << 20)
        spend(milliseconds: milliseconds)
        print("used")
        fflush(nil)
        try await Task.sleep(for: .seconds(600))
        print(held.count)
    }

    /// Reads a whole log through a runtime, and says how many lines it has and how much memory that took at most, in kB.
    private static func readLog(_ logs: String) async throws {
        let root = (logs as NSString).deletingLastPathComponent
        let runtime = ProcessRuntime(
            root: (root as NSString).deletingLastPathComponent, supervisorCommand: [CommandLine.arguments[0]])
        var lines = 0
        let id = EnvironmentID(rawValue: (root as NSString).lastPathComponent)
        for try await page in runtime.logPages(of: id, LogQuery()) { lines += page.count }
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        print(lines, peak.filter { $0.isNumber })
    }

    /// Until the kernel says that this process has used as much.
    private static func spend(milliseconds: Int64) {
        func used() -> Int64 {
            var usage = rusage()
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            let seconds = Int64(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            return seconds * 1000 + Int64(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000
        }
        while used() < milliseconds {}
    }

    private static func spam(_ lines: Int) {
        for number in 1...max(lines, 1) { print("line \(number) \(String(repeating: "x", count: 60))") }
        fflush(nil)
    }
}
