import EnvironmentGraph

/// One execution's progress as a pure state machine: events in, the steps to start out. The runner carries them out and
/// stores what changed.
///
/// Invariant: a step is started only when all that it needs has succeeded, and after one failure nothing new starts.
package struct ExecutionMachine: Sendable {
    package private(set) var record: ExecutionRecord
    /// At most so many steps run at once.
    private let width: Int
    private var failed = false

    package init(_ record: ExecutionRecord, width: Int = 16) {
        self.record = record
        self.width = width
    }

    /// Takes over an execution that another server's death interrupted. Steps that were running run again: all of them
    /// are idempotent, except those that `isRepeatable` denies, whose outcome nobody knows.
    ///
    /// - Returns: the step whose outcome is unknown, with which the execution has failed.
    package mutating func resume(isRepeatable: (PlannedStep) -> Bool) -> StepRecord? {
        for index in record.steps.indices where record.steps[index].state == .running {
            if isRepeatable(record.steps[index].plan) {
                record.steps[index].state = .pending
            } else {
                record.steps[index].state = .outcomeUnknown
                let message = "the server ended while this ran; whether it took effect is unknown"
                record.steps[index].message = message
                record.error = "\(record.steps[index].plan.title): \(message)"
                failed = true
                return record.steps[index]
            }
        }
        return nil
    }

    /// The steps to start now, marked as running.
    package mutating func startable(now: Int64) -> [StepRecord] {
        guard !failed else { return [] }
        record.state = .running
        var running = record.steps.count { $0.state == .running }
        let done = Set(record.steps.filter { $0.state == .succeeded }.map(\.plan.key))
        var started: [StepRecord] = []
        for index in record.steps.indices where record.steps[index].state == .pending && running < width {
            guard record.steps[index].plan.needs.allSatisfy(done.contains) else { continue }
            record.steps[index].state = .running
            record.steps[index].attempt += 1
            record.steps[index].startedAt = now
            record.steps[index].message = nil
            started.append(record.steps[index])
            running += 1
        }
        return started
    }

    /// Records how a running step ended.
    package mutating func ended(_ key: String, _ failure: StepFailure?, now: Int64) -> StepRecord? {
        guard let index = record.steps.firstIndex(where: { $0.plan.key == key }) else { return nil }
        record.steps[index].finishedAt = now
        record.steps[index].message = failure?.message
        if let failure {
            record.steps[index].state = failure.outcomeUnknown ? .outcomeUnknown : .failed
            if !failed { record.error = "\(record.steps[index].plan.title): \(failure.message)" }
            failed = true
        } else {
            record.steps[index].state = .succeeded
        }
        return record.steps[index]
    }

    /// Ends the execution; what never started is skipped. It has succeeded only where every step has.
    package mutating func finish(cancelled: Bool, now: Int64) {
        for index in record.steps.indices {
            switch record.steps[index].state {
            case .pending: record.steps[index].state = .skipped
            case .running:
                record.steps[index].state = .skipped
                record.steps[index].finishedAt = now
            case .succeeded, .failed, .skipped, .outcomeUnknown, .undoing, .undone: break
            }
        }
        record.finishedAt = now
        if cancelled {
            record.state = .cancelled
        } else if !failed, record.steps.allSatisfy({ $0.state == .succeeded }) {
            record.state = .succeeded
        } else {
            record.state = .failed
        }
    }
}
