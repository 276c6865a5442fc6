import API

/// Executions and their steps as text.
package enum ExecutionTables {
    package static func list(_ executions: [ExecutionView]) -> String {
        Table(
            ["EXECUTION", "KIND", "STATE", "STEPS", "STARTED", "TOOK", "BY", "WHY"],
            executions.map { execution in
                let done = execution.steps.count { $0.state == "succeeded" }
                let why = execution.error?.split(separator: "\n").first.map(String.init) ?? execution.reason ?? ""
                return [
                    execution.id, execution.kind, execution.state, "\(done)/\(execution.steps.count)",
                    execution.createdAt ?? "", took(execution.createdAt, execution.finishedAt), execution.actor ?? "",
                    why,
                ]
            }
        ).rendered()
    }

    package static func steps(_ execution: ExecutionView) -> String {
        var text = "\(execution.kind) of \(execution.environment): \(execution.state)"
        if let by = execution.actor { text += ", asked for by \(by)" }
        if let reason = execution.reason { text += " (\(reason))" }
        text += "\n\n"
        text += Table(
            ["STEP", "STATE", "TRIES", "STARTED", "TOOK", "MESSAGE"],
            execution.steps.map { step in
                let message = (step.error ?? step.message)?.split(separator: "\n").first.map(String.init) ?? ""
                return [
                    step.key, step.state, "\(step.attempt)", step.startedAt ?? "",
                    took(step.startedAt, step.finishedAt), message,
                ]
            }
        ).rendered()
        // In full, as what is said in a table is cut at its first line.
        if let error = execution.error, error.contains("\n") { text += "\n\(error)\n" }
        return text
    }

    private static func took(_ from: String?, _ to: String?) -> String {
        guard let from = from.flatMap(Timestamp.milliseconds), let to = to.flatMap(Timestamp.milliseconds) else {
            return ""
        }
        return to - from < 1_000 ? "\(to - from)ms" : Timestamp.elapsed(to - from)
    }
}
