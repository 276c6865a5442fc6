import EnvironmentGraph
import Runtimes

extension ProcessRuntime {
    /// Without a supervisor nothing runs, and none is started to say so. One that an older version started and that does
    /// not know the question says nothing.
    package func metrics(of environment: EnvironmentID, withRates: Bool) async throws -> [WorkloadMetrics] {
        let folder = try folder(environment)
        guard let record = finder.living(folder) else {
            let ended = try DesiredState.load(folder.workloads)?.entries ?? []
            return ended.map { entry in
                WorkloadMetrics(
                    service: entry.workload.service, state: entry.ended?.state ?? .pending,
                    restarts: entry.ended?.restarts ?? 0)
            }
        }
        do {
            return try await SupervisorClient(record: record).metrics(withRates: withRates)
        } catch let error as RuntimeError where error.code == .notFound {
            return []
        } catch let error as RuntimeError {
            throw error
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            // It is just ending, or was killed.
            throw RuntimeError(
                .unavailable, "the supervisor of \(environment) does not answer: \(error)",
                hint: "cat \(folder.supervisorLog)")
        }
    }
}
