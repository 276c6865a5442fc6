import API
import EnvironmentGraph
import Orchestration
import Storage

/// Carries out what time and requests do to environments, on the same path as a person's command.
struct LifecycleActions: LifecycleActing {
    let store: any Store
    let board: StatusBoard
    let orchestrator: Orchestrator
    let outside: Outside

    /// Who it was, in executions, events and the audit log.
    var actor = LifecycleActions.actor

    /// Of what time does.
    static let actor = "microstax"
    /// Of what a request wakes.
    static let gateway = ExecutionRecord.gateway

    /// Whether it was neither time nor a request.
    static func isPerson(_ actor: String) -> Bool { ![Self.actor, gateway].contains(actor) }

    func carryOut(
        _ command: EnvironmentCommand, on id: EnvironmentID, reason: String,
        holds: @escaping @Sendable (EnvironmentRecord) -> Bool
    ) async throws {
        let change = Change(store: store, outside: outside, command: command, reason: reason)
        let now = outside.now()
        let execution = try await store.write { store -> ExecutionRecord? in
            guard let record = try store.environment(id), holds(record) else { return nil }
            do {
                return try change.carryOut(id, actor: actor, action: command.rawValue, now, in: store).execution
            } catch let problem as APIProblem {
                throw StepFailure(problem.error.message)
            }
        }
        board.ring(id)
        if let execution { await orchestrator.submit(execution) }
    }

    /// Starts services that are started on demand, where they are cold and their environment runs.
    ///
    /// - Returns: false where something is under way that must end first.
    func warm(_ services: Set<String>, of id: EnvironmentID, reason: String) async throws -> Bool {
        let now = outside.now()
        let (isDone, execution) = try await store.write { store -> (Bool, ExecutionRecord?) in
            guard let record = try store.environment(id) else { return (true, nil) }
            var wanted = record
            wanted.warm(services)
            guard wanted != record else { return (true, nil) }
            guard [.running, .degraded].contains(record.state) else { return (!record.state.isTransient, nil) }
            let plan = Planner.update(
                from: record, to: wanted, reasons: Dictionary(services.map { ($0, reason) }) { $1 }, ensuresAll: false)
            let execution = ExecutionRecord(
                id: outside.executionID(), environment: id, kind: .restart,
                steps: plan.steps.map { StepRecord(plan: $0) },
                createdAt: now, actor: actor, reason: reason)
            wanted.updatedAt = now
            try store.accept(execution, of: &wanted, at: now)
            try store.audit("wake", of: record.name, by: actor, at: now)
            return (true, execution)
        }
        guard let execution else { return isDone }
        board.ring(id)
        await orchestrator.submit(execution)
        return true
    }
}
