import EnvironmentGraph
import Runtimes

/// All that a simulated runtime has of one environment: a value, changed under its runtime's lock.
struct SimulatedPlace {
    struct Copy {
        var workload: Workload
        var status: WorkloadStatus
        /// Which start this is; what was arranged for an earlier one does not count any more.
        var run = 0
        var stopRequested = false
        /// A new keeper of this place has no secrets, and starts nothing before it is told again.
        var waits = false
    }

    var copies: [String: Copy] = [:]
    /// `service/volume`.
    var volumes: Set<String> = []
    /// How often each was made.
    var makings: [String: Int] = [:]
    /// `service/key` of the scripts that a database's ledger knows.
    var ledger: Set<String> = []
    var logs: [LogLine] = []
    /// Somebody else wrote into its file.
    var isDamaged = false
    var listeners: [Int: AsyncThrowingStream<[WorkloadStatus], any Error>.Continuation] = [:]

    var statuses: [WorkloadStatus] { copies.values.map(\.status).sorted { $0.service < $1.service } }

    var isEmpty: Bool { copies.isEmpty && volumes.isEmpty && logs.isEmpty && ledger.isEmpty }

    /// Which data a copy works on: that of its volume, by how often it was made, or what it keeps without one.
    func data(of workload: Workload) -> String {
        let names = workload.volumes.map { "\(workload.service)/\($0.name)" }
        return names.isEmpty
            ? "none"
            : names.map { "\($0)#\(makings[$0] ?? 0)\(volumes.contains($0) ? "" : " lost")" }.joined(separator: ",")
    }
}
