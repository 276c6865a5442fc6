import EnvironmentGraph
import SimulatedRuntime
import SimulatedStore

/// Prints what happens in a run that is repeated to be looked at.
struct Trace: Sendable {
    let clock: SimulatedClock
    let isOn: Bool

    func note(_ text: @autoclosure () -> String) {
        guard isOn else { return }
        let time = clock.elapsedMicroseconds
        print("\(time / 1000).\(String(1000 + time % 1000).dropFirst()) \(text())")
    }

    func commit(_ before: Tables, _ after: Tables) {
        guard isOn else { return }
        for (id, record) in after.environments.sorted(by: { $0.key < $1.key }) {
            let old = before.environments[id]
            if old?.state != record.state || old?.message != record.message {
                note("  \(id) \(record.name): \(record.state)\(record.message.map { " (\($0.prefix(80)))" } ?? "")")
            }
        }
        for id in before.environments.keys.sorted() where after.environments[id] == nil { note("  \(id) removed") }
        for (id, stored) in after.executions.sorted(by: { $0.key < $1.key }) {
            let (old, new) = (before.executions[id]?.record, stored.record)
            if old?.state != new.state {
                note(
                    "  \(id) \(new.kind) of \(new.environment): \(new.state)\(new.error.map { " (\($0.prefix(80)))" } ?? "")"
                )
            }
            for step in new.steps {
                let was = old?.steps.first { $0.plan.key == step.plan.key }
                if let was, was.state != step.state { note("    \(id) \(step.plan.key): \(step.state)") }
            }
        }
    }
}
