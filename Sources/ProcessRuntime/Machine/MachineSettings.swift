/// The numbers of ``ServiceMachine``; all times in milliseconds.
package struct MachineSettings: Sendable, Hashable {
    /// Starts of one generation that may end before the service was ever ready, before it counts as failed.
    package var startAttempts = 3
    /// Pauses between those starts; the last is used for all further ones.
    package var startBackoff: [Int64] = [100, 400]
    /// First pause of a service that has been ready before; doubles with each restart.
    package var restartBackoff: Int64 = 100
    package var restartBackoffLimit: Int64 = 30_000
    /// How long a service must have been ready for its pauses to begin anew.
    package var healthyReset: Int64 = 60_000
    /// Without readiness probe, a process counts as ready when it has lived this long.
    package var settle: Int64 = 100
    /// Without readiness probe, a process that ends sooner than this counts as a failed start.
    package var proven: Int64 = 1000
    /// Until a probe has passed once, it comes again after half of the time that the service has had so far: after at
    /// least this long (`fastExecProbe` for commands), and at most the probe's own period. A quick service is not kept
    /// waiting, a slow one is not flooded, and nobody waits longer than half as long again as the service needed.
    package var fastProbe: Int64 = 25
    package var fastExecProbe: Int64 = 100
    /// How long a service has been starting before its status says what its probe answers.
    package var tellAnswerAfter: Int64 = 1000
    /// Failed readiness probes in a row after which a service that was ready is unhealthy (or the probe's own
    /// threshold, if that is smaller).
    package var unhealthyAfter = 3

    package init() {}
}
