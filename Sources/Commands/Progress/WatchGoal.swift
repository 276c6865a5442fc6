import API

/// What a command waits for, decided from events alone.
package enum WatchGoal: Sendable, Hashable {
    /// The end of the execution with this id.
    case execution(String)
    /// The same, of one that deletes: done is also when nothing is there any more.
    case deletion(String)
    /// The end of the execution with this id, which is being undone; a create leaves nothing.
    case undoing(String)
    /// `env wait --for running`.
    case running
    /// `env wait --for deleted`.
    case deleted

    package enum Verdict: Sendable, Hashable {
        case waiting
        case reached
        /// It will not come true by waiting.
        case failed
    }

    package func verdict(on event: EventView) -> Verdict {
        let state = event.environment.state
        switch self {
        case .execution(let id):
            if let execution = event.execution, execution.id == id, execution.isFinal {
                return execution.state == "succeeded" ? .reached : .failed
            }
            // A later execution has taken its place: what was waited for is over, and not by succeeding.
            if let execution = event.execution, execution.id != id { return .failed }
            return state == "deleted" ? .failed : .waiting
        case .deletion(let id):
            if state == "deleted" { return .reached }
            guard let execution = event.execution, execution.id == id, execution.isFinal else { return .waiting }
            return execution.state == "succeeded" ? .reached : .failed
        case .undoing(let id):
            if state == "deleted" { return .reached }
            guard let execution = event.execution, execution.id == id, execution.isFinal else {
                return event.execution.map { $0.id != id } == true ? .failed : .waiting
            }
            return execution.state == "undone" ? .reached : .failed
        case .running:
            if state == "running" { return .reached }
            if ["deleting", "deleted", "stopped"].contains(state) { return .failed }
            return state == "error" && event.execution?.isFinal != false ? .failed : .waiting
        case .deleted:
            if state == "deleted" { return .reached }
            return event.execution.map { $0.kind == "delete" && $0.isFinal && $0.state != "succeeded" } == true
                ? .failed : .waiting
        }
    }

    /// What it means that the environment is not found.
    package var isReachedByAbsence: Bool {
        switch self {
        case .deletion, .deleted, .undoing: true
        case .execution, .running: false
        }
    }
}
