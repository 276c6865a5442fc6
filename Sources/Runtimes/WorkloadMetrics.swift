import EnvironmentGraph

/// What one workload uses: everything that it started, whichever process that is in. Commands that were run beside it
/// and probes are not counted.
package struct WorkloadMetrics: Sendable, Hashable, Codable {
    package var service: String
    package var state: WorkloadStatus.State
    /// Processes that live just now.
    package var processes: Int
    /// Processor time that it used since ``countingSince``, in milliseconds, of ended processes too. Never falls while
    /// ``countingSince`` stays the same.
    package var cpuMilliseconds: Int64
    /// Milliseconds since 1970; later than before when the counting had to begin anew.
    package var countingSince: Int64
    /// Of one core, over ``intervalMilliseconds``: 200 is two cores. nil where it was not asked for.
    package var cpuPercent: Double?
    package var intervalMilliseconds: Int64?
    /// What is in memory of all its processes; what they share counts once.
    package var memoryBytes: Int64
    /// Starts after the first, of this generation.
    package var restarts: Int
    /// Since its main process started; nil where none runs.
    package var uptimeMilliseconds: Int64?

    package init(
        service: String, state: WorkloadStatus.State, processes: Int = 0, cpuMilliseconds: Int64 = 0,
        countingSince: Int64 = 0, cpuPercent: Double? = nil, intervalMilliseconds: Int64? = nil,
        memoryBytes: Int64 = 0, restarts: Int = 0, uptimeMilliseconds: Int64? = nil
    ) {
        self.service = service
        self.state = state
        self.processes = processes
        self.cpuMilliseconds = cpuMilliseconds
        self.countingSince = countingSince
        self.cpuPercent = cpuPercent
        self.intervalMilliseconds = intervalMilliseconds
        self.memoryBytes = memoryBytes
        self.restarts = restarts
        self.uptimeMilliseconds = uptimeMilliseconds
    }
}

extension Runtime {
    /// For a runtime that measures nothing.
    package func metrics(of environment: EnvironmentID, withRates: Bool) async throws -> [WorkloadMetrics] { [] }
}
