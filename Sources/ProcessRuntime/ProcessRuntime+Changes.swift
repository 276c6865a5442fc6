import EnvironmentGraph
import Foundation
import Runtimes

extension ProcessRuntime {
    /// How often it is looked whether a supervisor is there, while there is none.
    private static let period: Duration = .milliseconds(20)

    package func changes(of environment: EnvironmentID) -> AsyncThrowingStream<[WorkloadStatus], any Error> {
        AsyncThrowingStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            // Ended when the caller stops iterating.
            let task = Task {
                do {
                    try await follow(environment, continuation)
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func follow(
        _ environment: EnvironmentID, _ continuation: AsyncThrowingStream<[WorkloadStatus], any Error>.Continuation
    ) async throws {
        let folder = try folder(environment)
        let latest = LatestStatuses(continuation)
        while !Task.isCancelled {
            if let record = finder.living(folder) {
                do {
                    try await SupervisorClient(record: record).changes { latest.tell($0) }
                } catch is CancellationError {
                    return
                } catch {
                    // It is ending, or was killed; what is on disk, or the next supervisor, goes on.
                    try await Task.sleep(for: Self.period)
                }
                continue
            }
            let state = try DesiredState.load(folder.workloads)
            if state?.needsSupervisor == true {
                do {
                    _ = try await finder.livingOrStarted(folder, creating: false)
                } catch let error as RuntimeError where error.code == .notFound {
                    // Deleted meanwhile.
                }
                continue
            }
            latest.tell(state?.entries.compactMap(\.ended) ?? [])
            try await Task.sleep(for: Self.period)
        }
    }
}

/// Passes on what differs from the last; used by one task.
private final class LatestStatuses {
    private let continuation: AsyncThrowingStream<[WorkloadStatus], any Error>.Continuation
    private var last: [WorkloadStatus]?

    init(_ continuation: AsyncThrowingStream<[WorkloadStatus], any Error>.Continuation) {
        self.continuation = continuation
    }

    func tell(_ statuses: [WorkloadStatus]) {
        guard statuses != last else { return }
        last = statuses
        continuation.yield(statuses)
    }
}
