import Runtimes

package enum ProbeKind: String, Sendable, Hashable, CaseIterable {
    case startup, readiness, liveness
}

package enum ProbeOutcome: Sendable, Hashable {
    case passed
    /// What was answered, such as `GET /health on port 21004 answered 500`.
    case failed(String)
}

/// What happened to a service, as the driver saw it.
package enum ServiceEvent: Sendable, Hashable {
    /// It should run, as this workload says. `secretEnv` is empty; `hasSecrets` tells whether the driver has them.
    case apply(Workload, hasSecrets: Bool)
    /// It should not run.
    case stop
    case buildEnded(exitCode: Int32, lastOutput: [String])
    case started(pid: Int32)
    /// It cannot be run at all: no such program, a port in use.
    case notStarted(String, lastOutput: [String])
    /// The main process ended; exit code or 128 + signal.
    case exited(Int32, lastOutput: [String])
    /// After ``ServiceAction/watchGroup``: nothing of the main process's group is left.
    case groupEmpty
    /// After ``ServiceAction/killAll``: nothing of the service runs, or what could not be killed.
    case cleanedUp(leftOver: String?)
    /// `run` is the one that the action named; older ones are ignored.
    case probed(ProbeKind, ProbeOutcome, run: Int)
    /// A line matched the pattern of a `log` probe.
    case logMatched
    /// Time passed.
    case tick
}

/// What the driver has to do next.
package enum ServiceAction: Sendable, Hashable {
    case build
    case start
    /// Send the stop signal to the main process's group.
    case signal
    /// Tell ``ServiceEvent/groupEmpty`` when it is so.
    case watchGroup
    /// Kill everything that the service started, tell ``ServiceEvent/cleanedUp(leftOver:)`` when nothing is left.
    case killAll
    case probe(ProbeKind, run: Int)
    /// A line for the service's log.
    case note(String)
}
