import EnvironmentGraph
import Logging
import Storage

/// Drives one ``ExecutionMachine``: starts the steps it names, stores every checkpoint, and moves the environment.
struct ExecutionRunner: Sendable {
    let actions: StepActions
    let log: Logger

    private struct Ended: Sendable {
        let key: String
        let failure: StepFailure?
        let cancelled: Bool
    }

    /// - Parameter isStopping: true when the whole server stops; the execution then stays as it is, for the next one.
    func run(_ execution: ExecutionRecord, isStopping: @Sendable () async -> Bool) async throws {
        let record = try await actions.store.read { try $0.environment(execution.environment) }
        var machine = ExecutionMachine(execution)
        if let unknown = machine.resume(isRepeatable: StepActions.isRepeatable(record)) {
            try await checkpoint(unknown, machine)
        }
        guard try await begin(machine) else {
            machine.finish(cancelled: true, now: actions.outside.now())
            return try await finish(machine.record)
        }
        var cancelled = false
        try await withThrowingTaskGroup(of: Ended.self) { group in
            var active = 0
            while true {
                if !cancelled {
                    for step in machine.startable(now: actions.outside.now()) {
                        try await checkpoint(step, machine)
                        active += 1
                        group.addTask { await perform(step.plan, of: execution) }
                    }
                }
                guard active > 0, let ended = try await group.next() else { break }
                active -= 1
                if ended.cancelled {
                    cancelled = true
                } else if let step = machine.ended(ended.key, ended.failure, now: actions.outside.now()) {
                    try await checkpoint(step, machine)
                    if ended.failure != nil { group.cancelAll() }
                }
            }
        }
        cancelled = cancelled && Task.isCancelled
        if cancelled, await isStopping() { return }
        machine.finish(cancelled: cancelled, now: actions.outside.now())
        try await finish(machine.record)
    }

    private func perform(_ step: PlannedStep, of execution: ExecutionRecord) async -> Ended {
        do {
            try await actions.perform(step.action, on: execution.environment) { message in
                await report(message, step, execution)
            }
            return Ended(key: step.key, failure: nil, cancelled: false)
        } catch is CancellationError {
            return Ended(key: step.key, failure: nil, cancelled: true)
        } catch {
            if Task.isCancelled { return Ended(key: step.key, failure: nil, cancelled: true) }
            let failure = error as? StepFailure ?? StepFailure("\(error)")
            return Ended(key: step.key, failure: failure, cancelled: false)
        }
    }

    /// Shows what a running step waits for. Not a checkpoint: when it cannot be stored, nothing is lost.
    private func report(_ message: String, _ step: PlannedStep, _ execution: ExecutionRecord) async {
        do {
            try await actions.store.write { store in
                let stored = try store.execution(execution.id)?.steps.first { $0.plan.key == step.key }
                guard var stored, stored.state == .running else { return }
                stored.message = message
                try store.save(stored, of: execution.id)
            }
            actions.board.ring(execution.environment)
        } catch {
            log.warning("progress was not stored", metadata: ["error": "\(error)"])
        }
    }

    private func checkpoint(_ step: StepRecord, _ machine: ExecutionMachine) async throws {
        let id = machine.record.id
        try await actions.store.write { try $0.save(step, of: id) }
        actions.board.ring(machine.record.environment)
    }

    /// - Returns: false where there is nothing to do any more: the environment is gone or going away.
    private func begin(_ machine: ExecutionMachine) async throws -> Bool {
        let now = actions.outside.now()
        var execution = machine.record
        execution.state = .running
        let isWanted = try await actions.store.write { [execution] store in
            var record = try store.environment(execution.environment)
            if execution.kind != .delete, record == nil || record?.state == .deleting { return false }
            try store.save(execution)
            try record?.move(to: Self.state(during: execution.kind))
            record?.updatedAt = now
            if let record { try store.save(record) }
            return true
        }
        actions.board.ring(execution.environment)
        return isWanted
    }

    private static func state(during kind: ExecutionRecord.Kind) -> EnvironmentState {
        switch kind {
        case .create, .retry: .provisioning
        case .resume: .resuming
        case .stop: .stopping
        case .update, .scale: .updating
        case .delete: .deleting
        }
    }

    /// Stores how it ended, and the environment's state that follows from it.
    private func finish(_ execution: ExecutionRecord) async throws {
        let now = actions.outside.now()
        try await actions.store.write { store in
            try store.save(execution)
            guard var record = try store.environment(execution.environment) else { return }
            switch (execution.state, execution.kind) {
            case (.failed, _): try record.move(to: .error, message: execution.error)
            case (.succeeded, .stop): try record.move(to: .stopped)
            default: return
            }
            record.updatedAt = now
            try store.save(record)
        }
        actions.routes.isStale()
        actions.board.ring(execution.environment)
    }
}
