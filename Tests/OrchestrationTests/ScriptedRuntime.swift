import EnvironmentGraph
import Runtimes
import Synchronization

/// A runtime in memory whose services do what the test says: come up, hang, or fail.
final class ScriptedRuntime: Runtime {
    enum Behaviour: Sendable {
        case comesUp
        case hangs
        case fails(String)
    }

    private struct State {
        var behaviours: [String: Behaviour] = [:]
        var statuses: [EnvironmentID: [String: WorkloadStatus]] = [:]
        var applied: [Workload] = []
        var stopped: [String] = []
        var deleted: [EnvironmentID] = []
        var continuations: [(EnvironmentID, AsyncThrowingStream<[WorkloadStatus], any Error>.Continuation)] = []
        var commands: [RuntimeCommand] = []
        var results: [RuntimeCommandResult] = []
        var applyFailures: [RuntimeError] = []
        var irregularities: [Irregularity] = []
    }

    private let state = Mutex(State())

    var applied: [Workload] { state.withLock { $0.applied } }
    var stopped: [String] { state.withLock { $0.stopped } }
    var deleted: [EnvironmentID] { state.withLock { $0.deleted } }
    var commands: [RuntimeCommand] { state.withLock { $0.commands } }

    func script(_ service: String, _ behaviour: Behaviour) {
        state.withLock { $0.behaviours[service] = behaviour }
    }

    /// Results of the next commands, in order; afterwards commands succeed with `0`.
    func results(_ results: [RuntimeCommandResult]) {
        state.withLock { $0.results = results }
    }

    /// What the next calls of `apply` throw, in order.
    func failNextApplies(_ failures: [RuntimeError]) {
        state.withLock { $0.applyFailures = failures }
    }

    /// What ``irregularities(of:volumes:)`` says from now on.
    func irregularities(_ found: [Irregularity]) { state.withLock { $0.irregularities = found } }

    func irregularities(of environment: EnvironmentID, volumes: [VolumeName]) async throws -> [Irregularity] {
        state.withLock { $0.irregularities }
    }

    func set(_ service: String, of id: EnvironmentID, _ workloadState: WorkloadStatus.State, _ message: String? = nil) {
        let generation = state.withLock { $0.applied.last { $0.service == service }?.generation } ?? 1
        set(
            WorkloadStatus(
                service: service, generation: generation, state: workloadState, message: message,
                lastOutput: workloadState == .failed ? ["boom"] : []), of: id)
    }

    func set(_ status: WorkloadStatus, of id: EnvironmentID) {
        tell(id) { $0[status.service] = status }
    }

    /// Forgets a service, as if it had never been applied.
    func lose(_ service: String, of id: EnvironmentID) { tell(id) { $0[service] = nil } }

    private func tell(_ id: EnvironmentID, _ change: (inout [String: WorkloadStatus]) -> Void) {
        let (statuses, continuations) = state.withLock { state in
            change(&state.statuses[id, default: [:]])
            return (Self.sorted(state.statuses[id]), state.continuations.filter { $0.0 == id }.map(\.1))
        }
        for continuation in continuations { continuation.yield(statuses) }
    }

    func apply(_ workload: Workload) async throws {
        let failure = state.withLock { $0.applyFailures.isEmpty ? nil : $0.applyFailures.removeFirst() }
        if let failure { throw failure }
        let behaviour = state.withLock { state in
            state.applied.append(workload)
            return state.behaviours[workload.service] ?? .comesUp
        }
        switch behaviour {
        case .comesUp: set(workload.service, of: workload.environment, .ready)
        case .hangs: set(workload.service, of: workload.environment, .starting, "tcp: connection refused")
        case .fails(let reason): set(workload.service, of: workload.environment, .failed, reason)
        }
    }

    func stop(_ service: String, of environment: EnvironmentID) async throws {
        state.withLock { $0.stopped.append(service) }
        set(service, of: environment, .stopped)
    }

    func observe(_ environment: EnvironmentID) async throws -> [WorkloadStatus] {
        state.withLock { Self.sorted($0.statuses[environment]) }
    }

    func changes(of environment: EnvironmentID) -> AsyncThrowingStream<[WorkloadStatus], any Error> {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: [WorkloadStatus].self)
        let now = state.withLock { state in
            state.continuations.append((environment, continuation))
            return Self.sorted(state.statuses[environment])
        }
        continuation.yield(now)
        return stream
    }

    func run(
        _ command: RuntimeCommand, in service: String, of environment: EnvironmentID
    ) async throws -> RuntimeCommandResult {
        state.withLock { state in
            state.commands.append(command)
            return state.results.isEmpty ? RuntimeCommandResult(exitCode: 0, output: "") : state.results.removeFirst()
        }
    }

    func logs(of environment: EnvironmentID, _ query: LogQuery) -> AsyncThrowingStream<LogLine, any Error> {
        AsyncThrowingStream { $0.finish() }
    }

    func volumePath(_ volume: String, of service: String, in environment: EnvironmentID) -> String? { nil }

    func delete(_ environment: EnvironmentID) async throws {
        state.withLock { state in
            state.deleted.append(environment)
            state.statuses[environment] = nil
        }
    }

    func environments() async throws -> [EnvironmentID] { state.withLock { Array($0.statuses.keys) } }

    private static func sorted(_ statuses: [String: WorkloadStatus]?) -> [WorkloadStatus] {
        (statuses ?? [:]).values.sorted { $0.service < $1.service }
    }
}
