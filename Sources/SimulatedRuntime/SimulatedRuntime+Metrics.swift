import EnvironmentGraph
import Runtimes

/// A copy in memory uses nothing; what it is and how often it was started is true all the same.
extension SimulatedRuntime {
    package func metrics(of environment: EnvironmentID, withRates: Bool) async throws -> [WorkloadMetrics] {
        statuses(of: environment).map { WorkloadMetrics(service: $0.service, state: $0.state, restarts: $0.restarts) }
    }
}
