import Foundation
import Glibc

/// `supervisor.json`: which process supervises an environment. A pid alone proves nothing, as pids are used again; with
/// the start time and the boot it names one process.
struct SupervisorRecord: Sendable, Codable, Hashable {
    var version = 1
    var environment: String
    var pid: pid_t
    var startTime: UInt64
    var bootID: String
    /// Path of the control socket.
    var socket: String

    /// This process.
    static func current(environment: String, socket: String) -> SupervisorRecord {
        let own = DetachedProcess.current
        return SupervisorRecord(
            environment: environment, pid: own.pid, startTime: own.startTime, bootID: own.bootID, socket: socket)
    }

    var isAlive: Bool {
        DetachedProcess(pid: pid, startTime: startTime, bootID: bootID).isRunning
    }

    /// `nil` where there is none that can be read; its process is then found by its mark.
    static func load(_ path: String) -> SupervisorRecord? {
        guard let bytes = SmallFile.read(path, limit: 1 << 20) else { return nil }
        // As above.
        return try? JSONDecoder().decode(SupervisorRecord.self, from: Data(bytes))
    }

    func save(_ path: String) throws {
        try SmallFile.write([UInt8](try JSONEncoder().encode(self)), to: path, durably: false)
    }
}
