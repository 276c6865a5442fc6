import Foundation
import Glibc
import Testing

@testable import ProcessRuntime

/// A process is written down before it can hide.
struct RecordingTests {
    private func line(_ pid: pid_t) -> [UInt8]? { SmallFile.read("/proc/\(pid)/cmdline") }

    @Test func aProcessIsRecordedBeforeItRunsItsProgram() throws {
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        let spawn = Spawn(
            program: "/bin/sleep", arguments: ["sleep", "600"], environment: [:], workdir: nil, account: nil,
            input: null,
            output: null, error: null)
        var recorded: pid_t = 0
        var before: [UInt8]?
        let pid = try spawn.start { pid in
            recorded = pid
            before = line(pid)
        }
        let after = line(pid)
        kill(pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        #expect(recorded == pid)
        #expect(before == line(getpid()))
        #expect(after == Array("sleep\0600\0".utf8))
    }

    @Test func aProgramThatCannotRunIsStillSaid() throws {
        let spawn = Spawn(
            program: "/no/such/program", arguments: ["x"], environment: [:], workdir: nil, account: nil, input: 0,
            output: 1, error: 2)
        #expect(throws: Spawn.Failure.exec(errno: ENOENT)) { _ = try spawn.start { _ in } }
    }
}
