import Dispatch
import EnvironmentGraph
import Foundation
import Glibc
import Runtimes
import Testing
import TestSupport

@testable import ProcessRuntime

/// What takes long takes none of Swift's threads.
struct OffPoolTests {
    /// As many deletions as Swift has threads and more are held up in reading a pipe to which nobody writes yet.
    @Test(.timeLimit(.minutes(1))) func deletionsThatTakeLongHoldUpNothingElse() async throws {
        try await withTemporaryFolder { root in
            let names = (0..<(ProcessInfo.processInfo.activeProcessorCount + 2)).map { "env-\($0)" }
            for name in names {
                try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
                try #require(mkfifo("\(root)/\(name)/leaders.jsonl", 0o600) == 0)
            }
            let runtime = ProcessRuntime(root: root, supervisorCommand: [Stage.fixture, "supervise"])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for name in names { group.addTask { try await runtime.delete(EnvironmentID(rawValue: name)) } }
                for name in names {
                    // Only works once its reader waits, and lets it go on.
                    try await eventually("\(name) being looked through") {
                        let writer = open("\(root)/\(name)/leaders.jsonl", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
                        guard writer >= 0 else { return nil as Bool? }
                        close(writer)
                        return true
                    }
                }
                try await group.waitForAll()
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: root) == [])
        }
    }

    /// As while a large volume is being emptied: the supervisor answers, and what is asked for meanwhile counts.
    @Test(.timeLimit(.minutes(1))) func aSupervisorThatPreparesAServiceGoesOn() async throws {
        try await withTemporaryFolder { root in
            let environment = EnvironmentID(rawValue: "env-a")
            let folder = EnvironmentFolder(root: root, environment: environment)
            try folder.create()
            let workload = Workload(
                environment: environment, service: "main", generation: 1, command: ["/bin/sh", "-c", "exit 1"],
                workdir: "/", stopGraceSeconds: 5)
            let supervisor = Supervisor(folder: folder, logSettings: LogSettings())
            let held = DispatchSemaphore(value: 0)
            await supervisor.add(workload, heldBy: held)
            try await supervisor.apply(workload)
            #expect(await supervisor.statuses().map(\.state) == [.pending])
            async let stopped: Void = supervisor.stop("main")
            try await eventually("the request to stop") {
                await supervisor.isAskedToStop("main") ? true : nil
            }
            #expect(await supervisor.statuses().map(\.state) == [.pending])
            held.signal()
            try await stopped
            #expect(await supervisor.statuses().map(\.state) == [.stopped])
            #expect(FileManager.default.fileExists(atPath: folder.exits) == false)
        }
    }
}

extension Supervisor {
    /// A service whose preparation waits for the semaphore.
    fileprivate func add(_ workload: Workload, heldBy semaphore: DispatchSemaphore) {
        let service = makeService(workload, secrets: [:])
        services[service.name] = service
        service.preparing.async { semaphore.wait() }
    }

    fileprivate func isAskedToStop(_ name: String) -> Bool { services[name]?.machine.stopRequested == true }
}
