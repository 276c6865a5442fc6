import Foundation
import Glibc
import ProcessRuntime
import Testing
import TestSupport

struct DetachedProcessTests {
    private static func with(
        _ script: String, environment: [String: String] = [:],
        _ body: (DetachedProcess, _ output: () -> String) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let log = folder + "/log"
            let process = try DetachedProcess.start(
                "/bin/sh", ["sh", "-c", script], environment: environment, log: log)
            defer { process.terminate(SIGKILL) }
            // There is none before the first line.
            try await body(process) { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
            process.terminate(SIGKILL)
            try await eventually("its end") { process.isRunning ? nil : true }
        }
    }

    @Test(.timeLimit(.minutes(1))) func itLivesOnItsOwn() async throws {
        try await Self.with("echo $$; exec sleep 600") { process, output in
            try await eventually("its output") { output() == "\(process.pid)\n" ? true : nil }
            #expect(process.isRunning)
            #expect(getsid(process.pid) != getsid(0))
            // It is nobody's child here, so it leaves no zombie and is not waited for.
            var status: Int32 = 0
            #expect(waitpid(process.pid, &status, WNOHANG) == -1)
        }
    }

    @Test(.timeLimit(.minutes(1))) func itsEnvironmentIsTheGivenOneAlone() async throws {
        setenv("MSX_TEST_LEAK", "leaked", 1)
        let environment = ["PATH": "/usr/bin:/bin", "MSX_TEST_GIVEN": "a b=c"]
        try await Self.with("env; echo end; exec sleep 600", environment: environment) { _, output in
            try await eventually("its output") { output().hasSuffix("end\n") ? true : nil }
            let lines = output().split(separator: "\n").map(String.init)
            // What a shell sets by itself.
            let given = lines.filter { !$0.hasPrefix("PWD=") && !$0.hasPrefix("_=") && !$0.hasPrefix("SHLVL=") }
            #expect(given.sorted() == ["MSX_TEST_GIVEN=a b=c", "PATH=/usr/bin:/bin", "end"])
            #expect(lines.contains("PWD=/"))
        }
    }

    @Test(.timeLimit(.minutes(1))) func itIsAskedToEnd() async throws {
        try await Self.with("trap 'echo bye; exit' TERM; echo up; while :; do sleep 0.02; done") { process, output in
            try await eventually("its start") { output() == "up\n" ? true : nil }
            process.terminate()
            try await eventually("its end") { process.isRunning ? nil : true }
            #expect(output() == "up\nbye\n")
        }
    }

    @Test(.timeLimit(.minutes(1))) func anotherProcessUnderItsPidIsNotTakenForIt() async throws {
        try await Self.with("exec sleep 600") { process, _ in
            let other = DetachedProcess(pid: process.pid, startTime: process.startTime + 1)
            #expect(!other.isRunning)
            other.terminate(SIGKILL)
            #expect(process.isRunning)
            var earlier = process
            earlier.bootID = "another boot"
            #expect(!earlier.isRunning)
        }
    }

    @Test func whatCannotBeStartedIsNamed() async throws {
        try await withTemporaryFolder { folder in
            let error = #expect(throws: DetachedProcessError.self) {
                try DetachedProcess.start("/no/such/program", ["x"], environment: [:], log: folder + "/log")
            }
            #expect(error?.message.contains("/no/such/program") == true)
            let unwritable = #expect(throws: DetachedProcessError.self) {
                try DetachedProcess.start("/bin/true", ["true"], environment: [:], log: folder + "/no/log")
            }
            #expect(unwritable?.message == "cannot write \(folder)/no/log: No such file or directory")
        }
    }
}
