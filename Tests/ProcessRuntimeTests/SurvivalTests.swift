import Blueprints
import EnvironmentGraph
import Foundation
import Glibc
import Runtimes
import Testing
import TestSupport

@testable import ProcessRuntime

/// Who may die without whom.
struct SurvivalTests {
    @Test(.timeLimit(.minutes(1))) func servicesOutliveAKilledServer() async throws {
        try await Stage.with { stage in
            let server = Process()
            server.executableURL = URL(fileURLWithPath: Stage.fixture)
            server.arguments = ["server", stage.root, stage.environment.rawValue]
            let output = Pipe()
            server.standardOutput = output
            try server.run()
            #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "applied\n")
            let before = try await stage.reaches(.ready, service: "ticker")
            let supervisor = try stage.supervisorPid()
            kill(server.processIdentifier, SIGKILL)
            server.waitUntilExit()

            let after = try await stage.reaches(.ready, service: "ticker")
            #expect(after == before)
            #expect(try stage.supervisorPid() == supervisor)
            #expect(getsid(supervisor) == supervisor)
            let count = try await stage.lines().count
            try await eventually("more lines") { try await stage.lines().count > count ? true : nil }
        }
    }

    @Test(.timeLimit(.minutes(1))) func exitCodesAreKnownToTheNextServer() async throws {
        try await Stage.with { stage in
            var workload = stage.shell("exit 5")
            workload.restart = .never
            try await stage.runtime.apply(workload)
            try await stage.reaches(.failed)
            kill(try stage.supervisorPid(), SIGKILL)
            let next = ProcessRuntime(root: stage.root, supervisorCommand: [Stage.fixture, "supervise"])
            let status = try await next.observe(stage.environment).first
            #expect(status?.state == .failed)
            #expect(status?.exitCode == 5)
            let exits = ExitRecord.load(stage.folder + "/exits.jsonl")
            #expect(exits.map(\.exitCode) == [5])
            #expect(exits.first?.generation == 1)
        }
    }

    /// As Redis and PostgreSQL do when they set their title: `/proc/<pid>/environ` does not show the mark any more.
    @Test(.timeLimit(.minutes(1))) func aStrayThatHidesItsEnvironmentIsFoundWhenItsSupervisorWasKilled() async throws {
        try await Stage.with { stage in
            try await stage.runtime.apply(stage.shell("exec env -i sh -c 'sleep 600 & exec sleep 600'"))
            let before = try #require(try await stage.reaches(.ready).pid)
            let child = try await eventually("the child") {
                ProcessTable.descendants(of: [before], in: ProcessTable.all()).first?.pid
            }
            #expect(ProcessTable.variable(ProcessMark.variable, of: before) == nil)
            kill(try stage.supervisorPid(), SIGKILL)
            try await stage.runtime.delete(stage.environment)
            // Whoever is init here may not have taken them yet.
            #expect(ProcessTable.entry(before)?.isZombie ?? true)
            #expect(ProcessTable.entry(child)?.isZombie ?? true)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aKilledSupervisorIsReplacedAndItsStraysAreKilled() async throws {
        try await Stage.with { stage in
            try await stage.runtime.apply(stage.shell("exec sleep 600"))
            let before = try await stage.reaches(.ready)
            let supervisor = try stage.supervisorPid()
            kill(supervisor, SIGKILL)
            let after = try await eventually("another process") {
                let status = try await stage.runtime.observe(stage.environment).first
                return status?.state == .ready && status?.pid != before.pid ? status : nil
            }
            #expect(try stage.supervisorPid() != supervisor)
            #expect(before.pid.map(Self.isAlive) == false)
            #expect(after.pid.map(Self.isAlive) == true)
        }
    }

    @Test(.timeLimit(.minutes(1))) func watchingGoesOnOverAKilledSupervisor() async throws {
        try await Stage.with { stage in
            try await stage.runtime.apply(stage.shell("exec sleep 600"))
            let before = try await stage.reaches(.ready)
            var isKilled = false
            var last: WorkloadStatus?
            for try await statuses in stage.runtime.changes(of: stage.environment) {
                last = statuses.first
                if !isKilled { kill(try stage.supervisorPid(), SIGKILL) }
                isKilled = true
                if last?.state == .ready, last?.pid != before.pid { break }
            }
            #expect(last?.pid.map(Self.isAlive) == true)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aBusySupervisorKeepsNoDescriptors() async throws {
        try await Stage.with { stage in
            var workload = stage.shell("exec sleep 600")
            workload.probes.readiness = ProbeSpec(.exec(command: ["/bin/true"]), periodSeconds: 0.02)
            workload.probes.liveness = ProbeSpec(.exec(command: ["/bin/true"]), periodSeconds: 0.02)
            try await stage.runtime.apply(workload)
            try await stage.reaches(.ready)
            let descriptors = "/proc/\(try stage.supervisorPid())/fd"
            let before = FolderListing.names(descriptors).count
            for number in 0..<50 {
                let command = RuntimeCommand(["/bin/sh", "-c", "cat"], input: "\(number)")
                let result = try await stage.runtime.run(command, in: "main", of: stage.environment)
                #expect(result.output == "\(number)")
            }
            // Probes that are under way hold some.
            try await eventually("few descriptors") {
                FolderListing.names(descriptors).count <= before + 8 ? true : nil
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func whatNeedsSecretsWaitsForThem() async throws {
        try await Stage.with { stage in
            var workload = stage.shell("echo ${#TOKEN}; exec sleep 600")
            workload.secretEnv = ["TOKEN": "geheim-5417"]
            try await stage.runtime.apply(workload)
            try await stage.reaches(.ready)
            kill(try stage.supervisorPid(), SIGKILL)
            let waiting = try await stage.reaches(.pending)
            #expect(waiting.message?.contains("apply it again") == true)
            try await stage.runtime.apply(workload)
            try await stage.reaches(.ready)
            try await eventually("its output") {
                try await stage.lines().filter { $0.stream == .stdout }.map(\.text) == ["11", "11"] ? true : nil
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func secretsAreInNoFileAndNoArgument() async throws {
        try await Stage.with { stage in
            let secret = "geheim-\(UInt64.random(in: 0...UInt64.max))"
            var workload = stage.shell("exec sleep 600")
            workload.secretEnv = ["TOKEN": secret]
            try await stage.runtime.apply(workload)
            let status = try await stage.reaches(.ready)
            let pid = try #require(status.pid)
            #expect(ProcessTable.variable("TOKEN", of: pid) == secret)
            for path in try FileManager.default.subpathsOfDirectory(atPath: stage.folder) {
                let bytes = SmallFile.read(stage.folder + "/" + path) ?? []
                #expect(!String(decoding: bytes, as: UTF8.self).contains(secret), "in \(path)")
            }
            for entry in ProcessTable.all() {
                let words = SmallFile.text("/proc/\(entry.pid)/cmdline") ?? ""
                #expect(!words.contains(secret), "in the arguments of \(entry.name)")
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func concurrentCallersStartOneSupervisor() async throws {
        try await Stage.with { stage in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    // Half of them as another server would.
                    let runtime =
                        number % 2 == 0
                        ? stage.runtime
                        : ProcessRuntime(root: stage.root, supervisorCommand: [Stage.fixture, "supervise"])
                    group.addTask { try await runtime.apply(stage.shell("exec sleep 600", service: "s\(number)")) }
                }
                try await group.waitForAll()
            }
            #expect(try await stage.runtime.observe(stage.environment).count == 8)
            let mark = ProcessMark(folder: EnvironmentFolder(root: stage.root, environment: stage.environment))
            try await eventually("one supervisor") {
                let supervisors = ProcessTable.all().filter {
                    !$0.isZombie
                        && ProcessTable.variable(ProcessMark.supervisorVariable, of: $0.pid) == mark.supervisorValue
                }
                return supervisors.count == 1 ? true : nil
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func aSupervisorWithNothingToDoEnds() async throws {
        try await Stage.with { stage in
            var workload = stage.shell("exit 0")
            workload.restart = .never
            try await stage.runtime.apply(workload)
            let status = try await stage.reaches(.stopped)
            let pid = try stage.supervisorPid()
            try await eventually("its end") { Self.isAlive(pid) ? nil : true }
            #expect(try await stage.runtime.observe(stage.environment) == [status])
            #expect(!FileManager.default.fileExists(atPath: stage.folder + "/control.sock"))
        }
    }

    @Test(.timeLimit(.minutes(1))) func aSupervisorThatIsAskedToEndStopsItsServices() async throws {
        try await Stage.with { stage in
            try await stage.runtime.apply(stage.shell("trap 'echo bye; exit 0' TERM; while :; do sleep 0.02; done"))
            let before = try await stage.reaches(.ready)
            let supervisor = try stage.supervisorPid()
            kill(supervisor, SIGTERM)
            try await eventually("its end") { Self.isAlive(supervisor) ? nil : true }
            #expect(before.pid.map(Self.isAlive) == false)
            #expect(try await stage.lines().contains { $0.text == "bye" })
            // It still should run, so whoever looks next starts it again.
            #expect(try await stage.reaches(.ready).pid != before.pid)
        }
    }

    @Test(.timeLimit(.minutes(1))) func whoLooksOnDuringADeleteBringsNothingBack() async throws {
        try await Stage.with { stage in
            try await stage.runtime.apply(stage.shell("exec sleep 600"))
            try await stage.reaches(.ready)
            let watcher = Task {
                var last: [WorkloadStatus]?
                for try await statuses in stage.runtime.changes(of: stage.environment) { last = statuses }
                return last
            }
            let lookers = (0..<4).map { _ in
                Task { while !Task.isCancelled { _ = try await stage.runtime.observe(stage.environment) } }
            }
            try await stage.runtime.delete(stage.environment)
            #expect(!FileManager.default.fileExists(atPath: stage.folder))
            for _ in 0..<20 { #expect(try await stage.runtime.observe(stage.environment) == []) }
            #expect(!FileManager.default.fileExists(atPath: stage.folder))
            for looker in lookers { looker.cancel() }
            watcher.cancel()
            for looker in lookers { _ = await looker.result }
            _ = await watcher.result
        }
    }

    static func isAlive(_ pid: Int32) -> Bool { ProcessTable.entry(pid).map { !$0.isZombie } ?? false }
}
