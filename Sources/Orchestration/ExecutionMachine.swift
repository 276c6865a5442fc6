import EnvironmentGraph

/// One execution's progress as a pure state machine: events in, the steps to start out. The runner carries them out and
/// stores what changed.
///
/// Forward, a step is started only when all that it needs has succeeded, and after one failure nothing new starts.
/// Compensating, a step's effect is taken back only when those of all steps that needed it have been.
package struct ExecutionMachine: Sendable {
    /// What to carry out now.
    package struct Start: Sendable {
        package let step: StepRecord
        package let action: PlannedStep.Action
    }

    /// What a failure, or a success, leads to.
    package enum Next: Sendable {
        case ended(StepRecord)
        /// Once more, after so many milliseconds.
        case again(Start, after: Int64)
    }

    package private(set) var record: ExecutionRecord
    /// At most so many steps run at once.
    private let width: Int
    private var failed = false
    /// Attempts of this run, by step.
    private var attempts: [String: Int] = [:]

    package init(_ record: ExecutionRecord, width: Int = 16) {
        self.record = record
        self.width = width
    }

    package var isCompensating: Bool { record.state == .compensating }

    /// Takes over an execution that another server's death interrupted. Steps that were running run again: all of them
    /// are idempotent, except those that `isRepeatable` denies, whose outcome nobody knows.
    ///
    /// A failure that was stored before the execution could end is still its failure. What is being undone does not fail
    /// by a step that nobody can take back: that its outcome is unknown stays with it, for whoever would do it again.
    ///
    /// - Returns: the steps whose outcome is unknown, with which the execution has failed.
    package mutating func resume(isRepeatable: (PlannedStep) -> Bool) -> [StepRecord] {
        var unknown: [StepRecord] = []
        for index in record.steps.indices {
            switch record.steps[index].state {
            case .running:
                guard !isRepeatable(record.steps[index].plan) else {
                    // Undoing, it is one that may have had its effect.
                    guard !isCompensating else { continue }
                    record.steps[index].retryAt = nil
                    record.steps[index].state = .pending
                    continue
                }
                record.steps[index].retryAt = nil
                record.steps[index].state = .outcomeUnknown
                let cause = isCompensating ? "cut off while this ran" : "the server ended while this ran"
                record.steps[index].message = "\(cause); \(Self.unknown)"
                unknown.append(record.steps[index])
                if isCompensating { continue }
            case _ where isCompensating: continue
            case .failed, .outcomeUnknown: break
            default: continue
            }
            failed = true
            let step = record.steps[index]
            record.error = record.error ?? "\(step.plan.title): \(step.message ?? step.state.rawValue)"
        }
        return unknown
    }

    private static let unknown = "whether it took effect is unknown"

    /// The steps to start now, marked as running (or undoing).
    package mutating func startable(now: Int64) -> [Start] {
        guard !failed else { return [] }
        if isCompensating { return undoable(now: now) }
        record.state = .running
        var running = record.steps.count { $0.state == .running }
        let done = Set(record.steps.filter { $0.state == .succeeded }.map(\.plan.key))
        var started: [Start] = []
        for index in record.steps.indices where record.steps[index].state == .pending && running < width {
            guard record.steps[index].plan.needs.allSatisfy(done.contains) else { continue }
            record.steps[index].state = .running
            started.append(start(index, record.steps[index].plan.action, now: now))
            running += 1
        }
        return started
    }

    /// Steps that may have had an effect, those that nobody needed first. Where there is nothing to take back, a step
    /// is undone without more ado.
    private mutating func undoable(now: Int64) -> [Start] {
        var started: [Start] = []
        var active = Set(record.steps.filter { $0.state == .undoing && attempts[$0.plan.key] != nil }.map(\.plan.key))
        for index in record.steps.indices.reversed() where Self.mayHaveEffect(record.steps[index]) {
            let key = record.steps[index].plan.key
            guard !active.contains(key), active.count < width else { continue }
            let blocked = record.steps.contains { Self.mayHaveEffect($0) && $0.plan.needs.contains(key) }
            guard !blocked else { continue }
            guard let compensation = record.steps[index].plan.compensation else {
                record.steps[index].state = .undone
                continue
            }
            record.steps[index].state = .undoing
            active.insert(key)
            started.append(start(index, compensation, now: now))
        }
        return started
    }

    private static func mayHaveEffect(_ step: StepRecord) -> Bool {
        switch step.state {
        case .running, .succeeded, .failed, .undoing: true
        // Where nothing takes it back, nobody ever knows.
        case .outcomeUnknown: step.plan.compensation != nil
        // The environment itself was stored with the execution, before any step; and what this one superseded may have
        // left services running.
        case .pending, .skipped: step.plan.compensation == .discard || step.plan.compensation == .stopStrays
        case .undone: false
        }
    }

    private mutating func start(_ index: Int, _ action: PlannedStep.Action, now: Int64) -> Start {
        record.steps[index].attempt += 1
        record.steps[index].startedAt = now
        record.steps[index].finishedAt = nil
        record.steps[index].message = nil
        record.steps[index].retryAt = nil
        attempts[record.steps[index].plan.key, default: 0] += 1
        return Start(step: record.steps[index], action: action)
    }

    /// Begins the next attempt of a step that ``ended(_:_:policy:now:random:)`` wanted again.
    package mutating func restart(_ key: String, now: Int64) -> Start? {
        guard let index = record.steps.firstIndex(where: { $0.plan.key == key }) else { return nil }
        let step = record.steps[index].plan
        guard let action = isCompensating ? step.compensation : step.action else { return nil }
        return start(index, action, now: now)
    }

    /// Records how a step ended, or that it is to be tried again.
    ///
    /// - Parameter random: 0..<1, for the pause before another attempt.
    package mutating func ended(
        _ key: String, _ failure: StepFailure?, policy: StepPolicy, now: Int64, random: Double
    ) -> Next? {
        guard let index = record.steps.firstIndex(where: { $0.plan.key == key }) else { return nil }
        record.steps[index].message = failure?.message
        guard let failure else {
            record.steps[index].finishedAt = now
            record.steps[index].state = isCompensating ? .undone : .succeeded
            return .ended(record.steps[index])
        }
        let tried = attempts[key] ?? 1
        if failure.isTransient, !failure.outcomeUnknown, !failed, tried < policy.attempts {
            let pause = StepPolicy.pause(after: tried, random: random)
            record.steps[index].retryAt = now + pause
            let action = isCompensating ? record.steps[index].plan.compensation : record.steps[index].plan.action
            return action.map { .again(Start(step: record.steps[index], action: $0), after: pause) }
        }
        record.steps[index].finishedAt = now
        record.steps[index].state = failure.outcomeUnknown ? .outcomeUnknown : .failed
        let doing = isCompensating ? "undo: " : ""
        if !failed { record.error = "\(doing)\(record.steps[index].plan.title): \(failure.message)" }
        failed = true
        return .ended(record.steps[index])
    }

    /// Ends the execution; what never started is skipped. It has succeeded only where every step has, and is undone only
    /// where no effect is left.
    ///
    /// - Parameter isRepeatable: of a step that still ran and was cut off, whether it may simply run again; else nobody
    ///   knows whether it took effect.
    package mutating func finish(cancelled: Bool, now: Int64, isRepeatable: (PlannedStep) -> Bool) {
        let undone = isCompensating && !failed && !cancelled
        for index in record.steps.indices {
            record.steps[index].retryAt = nil
            switch record.steps[index].state {
            case .pending: record.steps[index].state = .skipped
            case .running:
                let isRepeatable = isRepeatable(record.steps[index].plan)
                record.steps[index].state = isRepeatable ? .skipped : .outcomeUnknown
                if !isRepeatable { record.steps[index].message = "cut off while this ran; \(Self.unknown)" }
                record.steps[index].finishedAt = now
            case .undoing, .succeeded, .failed, .skipped, .outcomeUnknown, .undone: break
            }
        }
        record.finishedAt = now
        if cancelled {
            record.state = .cancelled
        } else if undone {
            record.state = .undone
        } else if !isCompensating, !failed, record.steps.allSatisfy({ $0.state == .succeeded }) {
            record.state = .succeeded
        } else {
            record.state = .failed
        }
    }
}
