import API
import EnvironmentGraph
import Orchestration
import Storage

/// Carries out what time does to environments, on the same path as a person's command.
struct LifecycleActions: LifecycleActing {
    let store: any Store
    let board: StatusBoard
    let orchestrator: Orchestrator
    let outside: Outside

    /// Who it was, in executions, events and the audit log.
    static let actor = "microstax"

    func carryOut(
        _ command: EnvironmentCommand, on id: EnvironmentID, reason: String,
        holds: @escaping @Sendable (EnvironmentRecord) -> Bool
    ) async throws {
        let change = Change(store: store, outside: outside, command: command, reason: reason)
        let now = outside.now()
        let execution = try await store.write { store -> ExecutionRecord? in
            guard let record = try store.environment(id), holds(record) else { return nil }
            do {
                return try change.carryOut(id, actor: Self.actor, action: command.rawValue, now, in: store).execution
            } catch let problem as APIProblem {
                throw StepFailure(problem.error.message)
            }
        }
        board.ring(id)
        if let execution { await orchestrator.submit(execution) }
    }
}
