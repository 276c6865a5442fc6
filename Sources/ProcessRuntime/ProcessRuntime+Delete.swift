import EnvironmentGraph
import Files
import Foundation
import Glibc
import Runtimes

extension ProcessRuntime {
    package func delete(_ environment: EnvironmentID) async throws {
        let folder = try folder(environment)
        try await finder.gate.with(environment) {
            let record = SupervisorRecord.load(folder.record)
            if let record { try await end(record, of: folder) }
            CrashPoint.pass("after a supervisor was ended")
            let mark = ProcessMark(folder: folder)
            try await endUnrecorded(mark)
            let left = await mark.killStrays()
            guard left.isEmpty else {
                let list = left.map { "pid \($0.pid) (\($0.name))" }.joined(separator: ", ")
                throw RuntimeError(.leftOver, "could not kill \(list) of \(environment)")
            }
            CrashPoint.pass("after strays were killed")
            if let record { try ControlSocket.remove(record.socket) }
            try await OffPool.run { try FolderRemoval.remove(folder.path) }
            CrashPoint.pass("after a folder was removed")
        }
    }

    /// Lets a living supervisor stop its services in order; one that does not answer is killed.
    private func end(_ record: SupervisorRecord, of folder: EnvironmentFolder) async throws {
        guard record.isAlive else { return }
        // What cannot be read is removed below all the same.
        let state = try? DesiredState.load(folder.workloads)
        let grace = Milliseconds.of(seconds: state?.entries.map(\.workload.stopGraceSeconds).max() ?? 10)
        do {
            try await SupervisorClient(record: record).end(timeout: .milliseconds(grace + 25_000))
        } catch let error as RuntimeError where error.code == .leftOver {
            throw error
        } catch {
            if record.isAlive { kill(record.pid, SIGKILL) }
        }
        try await gone(record, within: .seconds(5))
        if record.isAlive { kill(record.pid, SIGKILL) }
        try await gone(record, within: .seconds(5))
        guard !record.isAlive else {
            throw RuntimeError(.leftOver, "could not end the supervisor of \(folder.environment), pid \(record.pid)")
        }
    }

    /// A supervisor whose record is lost is found by its mark.
    private func endUnrecorded(_ mark: ProcessMark) async throws {
        for entry in await OffPool.run({ mark.supervisors() }) {
            kill(entry.pid, SIGKILL)
            let record = SupervisorRecord(
                environment: mark.environment.rawValue, pid: entry.pid, startTime: entry.startTime,
                bootID: ProcessTable.bootID, socket: "")
            try await gone(record, within: .seconds(5))
        }
    }

    private func gone(_ record: SupervisorRecord, within limit: Duration) async throws {
        let deadline = ContinuousClock.now + limit
        while record.isAlive, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
    }
}
