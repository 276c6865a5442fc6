import EnvironmentGraph
import Runtimes
import Synchronization

/// The last status of every workload, as the runtime told it, with a bell that rings at every change of an environment.
///
/// Steps wait on it, the routing table is made from it, and progress streams are woken by it. It is a cache of what is
/// observed, never of what is wanted; losing it costs nothing.
package final class StatusBoard: Sendable {
    private struct State {
        var statuses: [EnvironmentID: [WorkloadStatus]] = [:]
        var listeners: [Int: (environment: EnvironmentID?, continuation: AsyncStream<Void>.Continuation)] = [:]
        var nextListener = 0
        /// Ended with whoever asked for it.
        var collectors: [Int: ChangedEnvironments] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    package func statuses(of id: EnvironmentID) -> [WorkloadStatus] {
        state.withLock { $0.statuses[id] ?? [] }
    }

    package func status(of service: String, in id: EnvironmentID) -> WorkloadStatus? {
        statuses(of: id).first { $0.service == service }
    }

    /// Whether the runtime has said anything of the environment yet.
    package func isHeard(_ id: EnvironmentID) -> Bool { state.withLock { $0.statuses[id] != nil } }

    /// The instances of an environment's own services that can answer just now; `nil` where the runtime has said nothing
    /// yet. A copy of an earlier generation does not count: it is not what the environment says it is.
    package func ready(_ record: EnvironmentRecord) -> Set<String>? {
        ready(in: record.id) { record.generation(of: serviceName(ofInstance: $0)) }
    }

    /// - Parameter generation: the least that counts of an instance.
    package func ready(in id: EnvironmentID, generation: (String) -> Int) -> Set<String>? {
        state.withLock { $0.statuses[id] }.map { statuses in
            Set(statuses.filter { $0.state == .ready && $0.generation >= generation($0.service) }.map(\.service))
        }
    }

    /// How much is observed: environments, and services by state.
    package var census: (environments: Int, services: [String: Int]) {
        let all = state.withLock { $0.statuses }
        let services: [String: Int] = all.values.joined().reduce(into: [:]) { $0[$1.state.rawValue, default: 0] += 1 }
        return (all.count, services)
    }

    package func set(_ statuses: [WorkloadStatus], of id: EnvironmentID) {
        state.withLock { $0.statuses[id] = statuses }
        ring(id)
    }

    package func forget(_ id: EnvironmentID) {
        state.withLock { $0.statuses[id] = nil }
        ring(id)
    }

    /// Wakes everybody who waits for a change of this environment: its statuses, its record, or its execution.
    package func ring(_ id: EnvironmentID) {
        let (woken, collectors) = state.withLock { state in
            (
                state.listeners.values.filter { $0.environment == nil || $0.environment == id }.map(\.continuation),
                Array(state.collectors.values)
            )
        }
        for continuation in woken { continuation.yield() }
        for collector in collectors { collector.add(id) }
    }

    /// Collects which environments change from now on, for somebody who looks at them in batches.
    ///
    /// - Parameter bell: called at every change; must be quick.
    package func collectChanges(bell: @escaping @Sendable () -> Void) -> ChangedEnvironments {
        state.withLock { state in
            state.nextListener += 1
            let key = state.nextListener
            let collector = ChangedEnvironments(bell: bell) { [weak self] in
                _ = self?.state.withLock { $0.collectors.removeValue(forKey: key) }
            }
            state.collectors[key] = collector
            return collector
        }
    }

    /// Rings at once and then after every change; rings that nobody took yet are one. `nil` hears every environment.
    package func changes(of id: EnvironmentID?) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let key = state.withLock { state in
            state.nextListener += 1
            state.listeners[state.nextListener] = (id, continuation)
            return state.nextListener
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { $0.listeners[key] = nil }
        }
        continuation.yield()
        return stream
    }
}
