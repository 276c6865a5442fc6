import EnvironmentGraph
import Orchestration
import Synchronization

/// How many commands people are running in each environment just now, and when the last of them ended: an environment in
/// which somebody works is not idle. In memory only, as a session ends with the server.
package final class ExecSessions: Sendable {
    /// Of one environment at once.
    static let limit = 16
    /// Of all together.
    static let totalLimit = 128
    /// Environments whose last end is remembered; those that ended first are forgotten first.
    private static let remembered = 4096

    private struct State {
        var open: [EnvironmentID: Int] = [:]
        var lastEnded: [EnvironmentID: Int64] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    package func openCount(of environment: EnvironmentID) -> Int { state.withLock { $0.open[environment] ?? 0 } }

    /// Milliseconds since 1970; `nil` where none ended since this server started.
    package func lastEnded(of environment: EnvironmentID) -> Int64? {
        state.withLock { $0.lastEnded[environment] }
    }

    /// A report of who uses which environment, with these sessions as uses of theirs.
    package func joined(to report: ActivityReport) -> ActivityReport {
        let (open, lastEnded) = state.withLock { ($0.open, $0.lastEnded) }
        var report = report
        for id in Set(open.keys).union(lastEnded.keys) {
            let held = open[id].map { "\($0) command\($0 == 1 ? "" : "s") that somebody watches" }
            let use = ActivityReport.Use(lastAt: lastEnded[id], held: held)
            report.uses[id] = (report.uses[id] ?? ActivityReport.Use()).joined(use)
        }
        return report
    }

    /// False where there are as many as may be; else ``end(of:at:)`` must follow.
    func begin(in environment: EnvironmentID) -> Bool {
        state.withLock { state in
            let count = state.open[environment] ?? 0
            guard count < Self.limit, state.open.values.reduce(0, +) < Self.totalLimit else { return false }
            state.open[environment] = count + 1
            return true
        }
    }

    func end(of environment: EnvironmentID, at now: Int64) {
        state.withLock { state in
            let left = (state.open[environment] ?? 1) - 1
            state.open[environment] = left > 0 ? left : nil
            state.lastEnded[environment] = now
            if state.lastEnded.count > Self.remembered,
                let oldest = state.lastEnded.min(by: { $0.value < $1.value })?.key
            {
                state.lastEnded[oldest] = nil
            }
        }
    }
}
