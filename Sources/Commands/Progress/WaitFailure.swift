import API

/// What is said when watching ends otherwise than wished.
package enum WaitFailure {
    /// - Parameter finding: the first of a diagnosis, where one could be had.
    package static func failed(
        _ event: EventView, _ what: String, finding: FindingView? = nil
    ) -> CommandFailure {
        let environment = event.environment
        let step = event.execution?.steps.first { $0.state == "failed" || $0.state == "outcomeUnknown" }
        let service = step.flatMap { serviceName($0.key) }
        var message = "\(environment.name) \(what)"
        if let step { message += ": step \(step.key) failed" }
        var causes = [step?.error ?? event.execution?.error ?? environment.message ?? ""]
        if let said = environment.services.first(where: { $0.name == service })?.message, !causes[0].contains(said) {
            causes.append(said)
        }
        if let finding { causes.append(finding.cause) }
        let logs = service.map { " --service \($0)" } ?? ""
        return CommandFailure(
            .failed, message, causes: causes,
            hint:
                "`microstax env diagnose \(environment.name)` says what mends it, `microstax env logs "
                + "\(environment.name)\(logs)` shows more; then `microstax env retry \(environment.name)`, or "
                + "`microstax env delete \(environment.name)`")
    }

    package static func timedOut(
        _ event: EventView?, _ environment: String, _ elapsed: Int64, _ goal: WatchGoal
    ) -> CommandFailure {
        let name = event?.environment.name ?? environment
        let running = (event?.execution?.steps ?? []).filter { $0.state == "running" }
            .map { step in step.key + (step.message.map { " (" + $0.firstLine + ")" } ?? "") }
        let state = event.map { " (it is \($0.environment.state))" } ?? ""
        return CommandFailure(
            .tryAgain,
            "the time limit passed after \(Timestamp.elapsed(elapsed)); the work on \(name) goes on\(state)",
            causes: running.isEmpty ? [] : ["still running: " + running.joined(separator: ", ")],
            hint: "go on watching with `\(watchAgain(name, event, goal))`")
    }

    package static func interrupted(_ event: EventView?, _ environment: String, _ goal: WatchGoal) -> CommandFailure {
        let name = event?.environment.name ?? environment
        let undo = isDeletion(event, goal) ? "" : ", undo with `microstax env delete \(name)`"
        return CommandFailure(
            .interrupted, "stopped watching; the work on \(name) goes on",
            hint: "go on watching with `\(watchAgain(name, event, goal))`\(undo)")
    }

    private static func watchAgain(_ name: String, _ event: EventView?, _ goal: WatchGoal) -> String {
        "microstax env wait \(name)" + (isDeletion(event, goal) ? " --for deleted" : "")
    }

    private static func isDeletion(_ event: EventView?, _ goal: WatchGoal) -> Bool {
        goal.isReachedByAbsence || event?.execution?.kind == "delete"
    }

    private static func serviceName(_ key: String) -> String? {
        let parts = key.split(separator: "/")
        return parts.count >= 3 && parts[0] == "service" ? String(parts[1]) : nil
    }
}
