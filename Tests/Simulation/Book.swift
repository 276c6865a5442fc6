import EnvironmentGraph
import SimulatedRuntime
import SimulatedStore
import Synchronization

/// What people were told, and what they allowed.
final class Book: Sendable {
    struct Acknowledged: Sendable {
        var execution: ExecutionID
        var environment: EnvironmentID
        var command: String
    }

    private struct State {
        var acknowledged: [Acknowledged] = []
        /// How often somebody accepted that a command may run twice, whether or not the answer arrived.
        var repeats: [String: Int] = [:]
        var quietSince: Int64 = 0
        var refusals = 0
    }

    private let state = Mutex(State())

    var acknowledged: [Acknowledged] { state.withLock { $0.acknowledged } }

    var quietSince: Int64 {
        get { state.withLock { $0.quietSince } }
        set { state.withLock { $0.quietSince = newValue } }
    }

    func note(_ acknowledged: Acknowledged) { state.withLock { $0.acknowledged.append(acknowledged) } }

    func repeatAllowed(_ name: String) { state.withLock { $0.repeats[name, default: 0] += 1 } }

    func repeatsAllowed(of name: String) -> Int { state.withLock { $0.repeats[name] ?? 0 } }
}

/// Over all runs of this process.
final class Totals: Sendable, CustomStringConvertible {
    static let shared = Totals()

    private struct State {
        var acknowledged = 0
        var effects = 0
        var seconds = 0
        var executions: [ExecutionRecord.State: Int] = [:]
    }

    private let state = Mutex(State())

    func add(_ history: History) {
        let executions = history.world.store.committed.executions.values.map(\.record.state)
        state.withLock { state in
            state.acknowledged += history.book.acknowledged.count
            state.effects += history.world.runtime.journal.count
            state.seconds += Int(history.clock.elapsedMicroseconds / 1_000_000)
            for each in executions { state.executions[each, default: 0] += 1 }
        }
    }

    var description: String {
        let state = state.withLock { $0 }
        let executions = state.executions.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { "\($0.value) \($0.key.rawValue)" }.joined(separator: ", ")
        return "\(state.acknowledged) acknowledged commands, \(state.effects) side effects, executions: \(executions); "
            + "\(state.seconds) simulated seconds"
    }
}
