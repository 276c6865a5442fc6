import Blueprints
import EnvironmentGraph
import Foundation
import Glibc
import Runtimes
import Testing
import TestSupport

@testable import ProcessRuntime

/// Where things are kept, and what happens where they cannot be.
struct FolderTests {
    @Test(.timeLimit(.minutes(1))) func aFolderTooLongForASocketWorks() async throws {
        try await Stage.with(rootSuffix: "/" + String(repeating: "long/", count: 24) + "environments") { stage in
            try await stage.runtime.apply(stage.shell("exec sleep 600"))
            try await stage.reaches(.ready)
            let record = try #require(SupervisorRecord.load(stage.folder + "/supervisor.json"))
            #expect(record.socket.utf8.count <= 107)
            #expect(!record.socket.hasPrefix(stage.root))
            try await stage.runtime.delete(stage.environment)
            #expect(!FileManager.default.fileExists(atPath: record.socket))
        }
    }

    @Test(.enabled(if: geteuid() != 0)) func aReadOnlyFolderIsNamed() async throws {
        try await withTemporaryFolder { folder in
            chmod(folder, 0o500)
            defer { chmod(folder, 0o700) }
            try await expectIOError(root: folder + "/environments", naming: folder)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aFullDiskIsToldAndNothingIsStarted() async throws {
        try await Stage.with { stage in
            let temporary = stage.folder + "/workloads.json.new"
            try SmallFile.createFolder(stage.folder, mode: 0o711)
            try FileManager.default.createSymbolicLink(atPath: temporary, withDestinationPath: "/dev/full")
            let error = await #expect(throws: RuntimeError.self) {
                try await stage.runtime.apply(stage.shell("exec sleep 600"))
            }
            #expect(error?.code == .ioError)
            #expect(error?.message == "cannot write \(temporary): No space left on device")
            #expect(try await stage.runtime.observe(stage.environment) == [])
            try await stage.runtime.apply(stage.shell("exec sleep 600"))
            try await stage.reaches(.ready)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aSupervisorWhoseFolderIsRemovedEndsWithItsServices() async throws {
        try await Stage.with { stage in
            try await stage.runtime.apply(stage.shell("exec sleep 600"))
            let pid = try #require(try await stage.reaches(.ready).pid)
            let supervisor = try stage.supervisorPid()
            try FolderRemoval.remove(stage.folder)
            try await eventually("their end") {
                SurvivalTests.isAlive(pid) || SurvivalTests.isAlive(supervisor) ? nil : true
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func whatCannotBeReadIsNeverTakenForEmpty() async throws {
        try await Stage.with { stage in
            try SmallFile.createFolder(stage.folder, mode: 0o711)
            let path = stage.folder + "/workloads.json"
            try Data("{".utf8).write(to: URL(fileURLWithPath: path))
            for code in [RuntimeError.Code.ioError, .unavailable] {
                let error = await #expect(throws: RuntimeError.self) {
                    if code == .ioError {
                        _ = try await stage.runtime.observe(stage.environment)
                    } else {
                        try await stage.runtime.apply(stage.shell("exec sleep 600"))
                    }
                }
                #expect(error?.code == code)
                #expect(error?.message.contains(path) == true, "\(error?.message ?? "")")
            }
            #expect(SmallFile.text(path) == "{")
        }
    }

    @Test func onlyWhatIsOursIsListed() async throws {
        try await withTemporaryFolder { folder in
            for name in ["env-a", "notes", "kept"] { try SmallFile.createFolder("\(folder)/\(name)", mode: 0o700) }
            try Data().write(to: URL(fileURLWithPath: folder + "/env-file"))
            try Data().write(to: URL(fileURLWithPath: folder + "/kept/supervisor.lock"))
            let runtime = ProcessRuntime(root: folder, supervisorCommand: [Stage.fixture, "supervise"])
            #expect(try await runtime.environments().map(\.rawValue) == ["env-a", "kept"])
        }
    }

    @Test func aFileInTheWayIsNamed() async throws {
        try await withTemporaryFolder { folder in
            let root = folder + "/environments"
            try Data().write(to: URL(fileURLWithPath: root))
            try await expectIOError(root: root, naming: root)
        }
    }

    private func expectIOError(root: String, naming path: String) async throws {
        let runtime = ProcessRuntime(root: root, supervisorCommand: [Stage.fixture, "supervise"])
        let workload = Workload(
            environment: EnvironmentID(rawValue: "env-a"), service: "a", generation: 1, command: ["x"], workdir: "/")
        let error = await #expect(throws: RuntimeError.self) { try await runtime.apply(workload) }
        #expect(error?.code == .ioError)
        #expect(error?.message.contains(path) == true, "\(error?.message ?? "")")
    }

    @Test func aSupervisorThatIsNotThereIsNamed() async throws {
        try await withTemporaryFolder { folder in
            let runtime = ProcessRuntime(root: folder, supervisorCommand: ["/no/such/program"])
            let workload = Workload(
                environment: EnvironmentID(rawValue: "env-a"), service: "a", generation: 1, command: ["x"], workdir: "/"
            )
            let error = await #expect(throws: RuntimeError.self) { try await runtime.apply(workload) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("/no/such/program") == true)
        }
    }

    @Test(arguments: ["", ".", "..", "../x", "a/b", "a b", "ä", String(repeating: "a", count: 300)])
    func unusableIdsAreRefused(_ name: String) async throws {
        try await withTemporaryFolder { folder in
            let runtime = ProcessRuntime(root: folder, supervisorCommand: [Stage.fixture, "supervise"])
            let error = await #expect(throws: RuntimeError.self) {
                try await runtime.delete(EnvironmentID(rawValue: name))
            }
            #expect(error?.code == .invalidWorkload)
        }
    }

    @Test(.timeLimit(.minutes(1))) func theServersEnvironmentIsNotTheServices() async throws {
        setenv("MSX_TEST_LEAK", "leaked", 1)
        try await Stage.with { stage in
            try await stage.runtime.apply(stage.shell("exec sleep 600"))
            let pid = try #require(try await stage.reaches(.ready).pid)
            #expect(ProcessTable.variable("MSX_TEST_LEAK", of: pid) == nil)
            #expect(ProcessTable.variable("MSX_SUPERVISOR", of: pid) == nil)
            #expect(ProcessTable.variable("PATH", of: pid)?.isEmpty == false)
            #expect(ProcessTable.variable("HOME", of: pid)?.isEmpty == false)
        }
    }
}
