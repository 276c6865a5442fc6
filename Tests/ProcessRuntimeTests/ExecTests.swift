import Foundation
import Glibc
import ProcessRuntime
import Runtimes
import TestSupport
import Testing

/// What the conformance suite cannot see: the processes, threads and descriptors behind a command that somebody watches.
@Suite(.timeLimit(.minutes(2))) struct ExecTests {
    @Test func aKilledSupervisorEndsTheSessionAndTheNextOneTheCommand() async throws {
        try await Stage.with { stage in
            try await stage.runtime.apply(stage.shell("exec sleep 600"))
            try await stage.reaches(.ready)
            let script = "trap '' HUP TERM; echo $$; while :; do sleep 600; done"
            let session = try await stage.runtime.exec(
                ExecCommand(["/bin/sh", "-c", script]), in: "main", of: stage.environment)
            guard case .stdout(let bytes) = try await session.next() else {
                Issue.record("no output")
                return
            }
            let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            let pid = try #require(Int32(text))
            kill(try stage.supervisorPid(), SIGKILL)
            let error = await #expect(throws: RuntimeError.self) { _ = try await session.next() }
            #expect(error?.code == .unavailable)
            try await stage.reaches(.ready)
            try await eventually("the end of the command") { kill(pid, 0) != 0 ? true : nil }
        }
    }

    /// However sessions end, their threads and descriptors go with them.
    @Test func sessionsLeaveNothingInTheSupervisor() async throws {
        try await Stage.with { stage in
            try await stage.runtime.apply(stage.shell("exec sleep 600"))
            try await stage.reaches(.ready)
            try await Self.run("true", in: stage)
            let pid = try stage.supervisorPid()
            let before = Self.held(pid)
            for terminal in [nil, TerminalSize(columns: 80, rows: 24)] {
                for _ in 0..<5 { try await Self.run("echo some; exit 3", in: stage, terminal) }
                // Taken by nobody, and more than is held.
                let session = try await stage.runtime.exec(
                    ExecCommand(["yes"], terminal: terminal), in: "main", of: stage.environment)
                _ = try await session.next()
                await session.cancel()
            }
            try await eventually("the end of all threads and descriptors") {
                "\(before), then \(Self.held(pid))"
            } _: {
                let now = Self.held(pid)
                return now.descriptors <= before.descriptors && now.threads <= before.threads + 3 ? true : nil
            }
        }
    }

    private static func run(_ script: String, in stage: Stage, _ terminal: TerminalSize? = nil) async throws {
        let session = try await stage.runtime.exec(
            ExecCommand(["/bin/sh", "-c", script], terminal: terminal), in: "main", of: stage.environment)
        while try await session.next() != nil {}
    }

    private static func held(_ pid: Int32) -> (descriptors: Int, threads: Int) {
        func count(_ folder: String) -> Int {
            // Always there while the supervisor runs.
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/\(folder)").count) ?? 0
        }
        return (count("fd"), count("task"))
    }
}
