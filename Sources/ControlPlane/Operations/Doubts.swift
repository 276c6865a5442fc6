import API
import EnvironmentGraph
import Orchestration
import Storage

/// Initialisers of which nobody knows whether they have run. They would run (again) when their service starts, and that
/// takes somebody who has looked.
struct Doubts {
    let record: EnvironmentRecord
    let allow: Set<String>

    init(_ record: EnvironmentRecord, _ allow: Set<String>) {
        self.record = record
        self.allow = allow
    }

    /// - Parameter planned: only these steps count; `nil` for every initialiser that is outstanding.
    func check(_ command: EnvironmentCommand, planned: Plan? = nil, in store: any StoreReading) throws {
        guard !allow.contains("repeat-unknown") else { return }
        let isRepeatable = StepActions.isRepeatable(record)
        let doubtful = try store.executions(of: record.id).flatMap(\.steps).last { step in
            guard case .initialise(let name, let index) = step.plan.action else { return false }
            // What runs just now is cut off by whatever replaces its execution.
            guard step.state == .outcomeUnknown || step.state == .running && !isRepeatable(step.plan) else {
                return false
            }
            guard let planned else { return index >= record.initialisersDone(of: name) }
            return planned.steps.contains { $0.action == step.plan.action }
        }
        guard let doubtful else { return }
        throw APIProblem(
            .wrongState, "whether \"\(doubtful.plan.title)\" took effect is unknown, and it may do so twice",
            hint:
                "look, then run it again with `microstax env \(command.rawValue) \(record.name) --allow repeat-unknown`"
        )
    }
}
