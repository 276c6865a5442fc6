import Glibc

/// A program that lives on its own: in its own session, nobody's child, its output in a file.
package struct DetachedProcess: Sendable, Hashable, Codable {
    package var pid: Int32
    /// In clock ticks since boot; with the pid it names one process for good.
    package var startTime: UInt64
    /// Which run of the machine that was.
    package var bootID: String

    /// Starts it and returns once it runs.
    ///
    /// - Parameter log: appended to, mode 0600.
    /// - Throws: ``DetachedProcessError`` with the reason.
    package static func start(
        _ program: String, _ arguments: [String], environment: [String: String], log: String
    ) throws(DetachedProcessError) -> DetachedProcess {
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        let output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer {
            close(null)
            close(output)
        }
        guard null >= 0, output >= 0 else {
            throw DetachedProcessError(message: "cannot write \(log): \(String(cString: strerror(errno)))")
        }
        var spawn = Spawn(
            program: program, arguments: arguments, environment: environment, workdir: "/", account: nil, input: null,
            output: output, error: output)
        spawn.isDetached = true
        do {
            return DetachedProcess(pid: try spawn.start())
        } catch {
            throw DetachedProcessError(message: "cannot start \(program): \(error)")
        }
    }

    /// This process itself.
    package static var current: DetachedProcess { DetachedProcess(pid: getpid()) }

    /// One that was recorded in this run of the machine.
    package init(pid: Int32, startTime: UInt64) {
        self.init(pid: pid, startTime: startTime, bootID: ProcessTable.bootID)
    }

    init(pid: Int32, startTime: UInt64, bootID: String) {
        self.pid = pid
        self.startTime = startTime
        self.bootID = bootID
    }

    /// One that runs now; `nil` where there is none of this pid.
    package init?(running pid: Int32) {
        self.init(pid: pid)
        guard startTime != 0 else { return nil }
    }

    private init(pid: Int32) {
        self.pid = pid
        // A process that has ended already has no start time, and is then not running either.
        startTime = ProcessTable.entry(pid)?.startTime ?? 0
        bootID = ProcessTable.bootID
    }

    /// Whether this very process still runs, not another one under its pid.
    package var isRunning: Bool {
        guard bootID == ProcessTable.bootID, let entry = ProcessTable.entry(pid) else { return false }
        return entry.startTime == startTime && !entry.isZombie
    }

    /// Asks it to end; nothing happens where it is gone.
    package func terminate(_ signal: Int32 = SIGTERM) {
        if isRunning { kill(pid, signal) }
    }
}

package struct DetachedProcessError: Error, Sendable {
    package let message: String
}
