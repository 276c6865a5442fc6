import EnvironmentGraph
import Storage

/// Changes that are made of several records and belong into one transaction.
extension StoreWriting {
    /// Moves an environment to another state, stores it, and notes it in its history.
    package func move(
        _ record: inout EnvironmentRecord, to next: EnvironmentState, message: String? = nil, at now: Int64,
        actor: String? = nil
    ) throws {
        let before = record.state
        guard before != next || record.message != message else { return }
        try record.move(to: next, message: message)
        try save(record)
        guard before != next else { return }
        let reason = message.map { ": " + $0.firstLine } ?? ""
        try append(
            EventRecord(
                time: now, environment: record.id, name: record.name, kind: .state, actor: actor,
                message: "\(before.rawValue) → \(next.rawValue)\(reason)"))
    }

    /// Stores a new execution with the environment's state that goes with it, and ends what it supersedes: two never
    /// work on one environment. The caller has decided that it may.
    package func accept(_ execution: ExecutionRecord, of record: inout EnvironmentRecord, at now: Int64) throws {
        var execution = execution
        // What is accepted last is the last, also where the clock was set back or was read before somebody else's commit.
        let last = try lastExecution(of: record.id).flatMap { $0.id == execution.id ? nil : $0 }
        if let last { execution.createdAt = max(execution.createdAt, last.createdAt) }
        if let older = last, !older.state.isFinal {
            var machine = ExecutionMachine(older)
            // It worked on what was wanted then; `record` says what is wanted now.
            let worked = try environment(record.id) ?? record
            machine.finish(cancelled: true, now: now, isRepeatable: StepActions.isRepeatable(worked))
            var ended = machine.record
            ended.error = "superseded by \(execution.kind.rawValue) \(execution.id)"
            try save(ended)
            _ = try claim(older.id)
            try append(.ended(ended, name: record.name, at: now))
        }
        try save(execution)
        try save(record)
        let what = execution.state == .compensating ? "undo of " : ""
        try append(
            EventRecord(
                time: now, environment: record.id, name: record.name, kind: .executionStarted, actor: execution.actor,
                message: "\(what)\(execution.kind.rawValue) \(execution.id)"
                    + (execution.reason.map { ": \($0)" } ?? "")))
        try move(&record, to: execution.stateWhileRunning, at: now, actor: execution.actor)
        try removeExecutions(of: record.id, keepingLast: Self.keptExecutions)
    }

    /// Notes for the audit log that something was asked for and accepted.
    ///
    /// - Parameter risks: codes of what stood against it and was accepted.
    package func audit(
        _ action: String, of subject: String, by actor: String, at now: Int64, accepted risks: [String] = []
    ) throws {
        let outcome = risks.isEmpty ? "accepted" : "accepted, allowing \(risks.joined(separator: ", "))"
        try append(AuditEntry(time: now, actor: actor, action: action, subject: subject, outcome: outcome))
    }

    /// Of each environment; a baseline that is stopped and woken every day has them for months.
    private static var keptExecutions: Int { 200 }
}

extension EventRecord {
    /// How an execution ended.
    package static func ended(_ execution: ExecutionRecord, name: String?, at now: Int64) -> EventRecord {
        let error = execution.error.map { ": " + $0.firstLine } ?? ""
        return EventRecord(
            time: now, environment: execution.environment, name: name ?? execution.environment.rawValue,
            kind: .executionEnded, actor: execution.actor,
            message: "\(execution.kind.rawValue) \(execution.id) \(execution.state.rawValue)\(error)")
    }
}
