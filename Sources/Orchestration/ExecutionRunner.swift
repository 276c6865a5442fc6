import Blueprints
import EnvironmentGraph
import Logging
import Storage

/// Drives one ``ExecutionMachine``: starts the steps it names, stores every checkpoint under its fence, and moves the
/// environment.
///
/// A run that is cancelled leaves everything as its last checkpoint says: whoever cancelled it has stored what follows,
/// or goes on from there.
struct ExecutionRunner: Sendable {
    let actions: StepActions
    let log: Logger

    private struct Ended: Sendable {
        let key: String
        let failure: StepFailure?
        let cancelled: Bool
    }

    func run(_ id: ExecutionID) async throws {
        guard let (execution, record, fence) = try await begin(id) else { return }
        var machine = ExecutionMachine(execution)
        for unknown in machine.resume(isRepeatable: StepActions.isRepeatable(record)) {
            try await checkpoint(unknown, fence, execution.environment)
        }
        let grace = record?.localServices.map(\.stopGraceSeconds).max() ?? 0
        try await withThrowingTaskGroup(of: Ended.self) { group in
            var active = 0
            while !Task.isCancelled {
                for start in machine.startable(now: actions.outside.now()) {
                    try await checkpoint(start.step, fence, execution.environment)
                    active += 1
                    group.addTask { await perform(start, after: 0, of: execution, fence, grace) }
                }
                guard active > 0, let ended = try await group.next() else { break }
                active -= 1
                if ended.cancelled { continue }
                let policy = Self.policy(machine, ended.key, grace)
                switch machine.ended(
                    ended.key, ended.failure, policy: policy, now: actions.outside.now(),
                    random: actions.outside.random())
                {
                case .ended(let step):
                    try await checkpoint(step, fence, execution.environment)
                    if ended.failure != nil { group.cancelAll() }
                case .again(let start, let pause):
                    try await checkpoint(start.step, fence, execution.environment)
                    guard let next = machine.restart(ended.key, now: actions.outside.now() + pause) else { break }
                    active += 1
                    group.addTask { await perform(next, after: pause, of: execution, fence, grace) }
                case nil: break
                }
            }
        }
        guard !Task.isCancelled else { return }
        machine.finish(
            cancelled: false, now: actions.outside.now(), isRepeatable: StepActions.isRepeatable(record))
        try await finish(machine.record, fence)
    }

    private static func policy(_ machine: ExecutionMachine, _ key: String, _ grace: Double) -> StepPolicy {
        let step = machine.record.steps.first { $0.plan.key == key }?.plan
        let action = machine.isCompensating ? step?.compensation : step?.action
        return action.map { StepPolicy.of($0, grace: grace) } ?? StepPolicy(attempts: 1, timeout: nil)
    }

    // MARK: Steps

    private func perform(
        _ start: ExecutionMachine.Start, after pause: Int64, of execution: ExecutionRecord, _ fence: Fence,
        _ grace: Double
    ) async -> Ended {
        let step = start.step.plan
        do {
            if pause > 0 {
                try await actions.outside.sleep(.milliseconds(pause))
                try await checkpoint(start.step, fence, execution.environment)
            }
            try await limited(StepPolicy.of(start.action, grace: grace).timeout) {
                try await actions.perform(start.action, on: execution.environment, fence) { message in
                    await report(message, step, fence, execution.environment)
                }
            }
            return Ended(key: step.key, failure: nil, cancelled: false)
        } catch is CancellationError {
            return Ended(key: step.key, failure: nil, cancelled: true)
        } catch {
            if Task.isCancelled { return Ended(key: step.key, failure: nil, cancelled: true) }
            return Ended(key: step.key, failure: StepFailure(error), cancelled: false)
        }
    }

    /// - Parameter limit: milliseconds; what takes longer is cancelled and fails in a way that may pass.
    private func limited(_ limit: Int64?, _ body: @escaping @Sendable () async throws -> Void) async throws {
        guard let limit else { return try await body() }
        let outside = actions.outside
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await body() }
            group.addTask {
                try await outside.sleep(.milliseconds(limit))
                throw StepFailure("not done within \(limit / 1_000) s", isTransient: true)
            }
            try await group.next()
        }
    }

    /// Shows what a running step waits for. Not a checkpoint: when it cannot be stored, nothing is lost.
    private func report(_ message: String, _ step: PlannedStep, _ fence: Fence, _ environment: EnvironmentID) async {
        do {
            try await actions.store.write { store in
                try fence.check(store)
                guard var stored = try store.step(step.key, of: fence.execution), stored.state == .running else {
                    return
                }
                stored.message = message
                try store.save(stored, of: fence.execution)
            }
            actions.board.ring(environment)
        } catch is FenceBroken {
            // Somebody else tells what it waits for.
        } catch {
            log.warning("progress was not stored", metadata: ["error": "\(error)"])
        }
    }

    // MARK: Checkpoints

    private func checkpoint(_ step: StepRecord, _ fence: Fence, _ environment: EnvironmentID) async throws {
        try await actions.store.write { store in
            try fence.check(store)
            try store.save(step, of: fence.execution)
        }
        actions.outside.happened(.stepStored(step))
        actions.board.ring(environment)
    }

    /// Claims the execution.
    ///
    /// - Returns: `nil` where there is nothing to do any more: it has ended, or its environment is gone or going away.
    private func begin(_ id: ExecutionID) async throws -> (ExecutionRecord, EnvironmentRecord?, Fence)? {
        let now = actions.outside.now()
        let begun = try await actions.store.write { store -> (ExecutionRecord, EnvironmentRecord?, Fence)? in
            guard var execution = try store.execution(id), !execution.state.isFinal else { return nil }
            let fence = Fence(execution: id, epoch: try store.claim(id))
            var record = try store.environment(execution.environment)
            let goesAway = execution.kind == .delete || execution.state == .compensating
            if !goesAway, record == nil || record?.state == .deleting {
                var machine = ExecutionMachine(execution)
                machine.finish(cancelled: true, now: now, isRepeatable: StepActions.isRepeatable(record))
                try store.save(machine.record)
                return nil
            }
            if execution.state == .pending { execution.state = .running }
            try store.save(execution)
            // A server that died after its routes were opened has moved it on already.
            let target = execution.stateWhileRunning
            let isOpen = execution.state == .running && execution.hasOpened
            if var moved = record, !isOpen, moved.state == target || moved.state.successors.contains(target) {
                try store.move(&moved, to: execution.stateWhileRunning, at: now)
                record = moved
            }
            return (execution, record, fence)
        }
        if let begun { actions.board.ring(begun.0.environment) }
        return begun
    }

    /// Stores how it ended, and the environment's state that follows from it.
    private func finish(_ execution: ExecutionRecord, _ fence: Fence) async throws {
        let now = actions.outside.now()
        try await actions.store.write { store in
            try fence.check(store)
            try store.save(execution)
            let record = try store.environment(execution.environment)
            try store.append(.ended(execution, name: record?.name, at: now))
            guard var record, let state = execution.stateAfterEnding(in: record.state) else { return }
            let why = execution.state == .failed ? execution.error : execution.reason
            try store.move(&record, to: state, message: why, at: now)
        }
        actions.routes.isStale()
        actions.board.ring(execution.environment)
    }
}
