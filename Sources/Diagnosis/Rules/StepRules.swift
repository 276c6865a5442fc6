import Blueprints
import EnvironmentGraph

/// Steps of an execution that failed for a reason of their own.
extension Rule {
    static let steps: [Rule] = [
        Rule(
            "init_failed", "An initialiser of the service did not succeed.", shownBy: "the step's error"
        ) { service, facts in
            guard let step = facts.failedStep(of: service.name), case .initialise = step.plan.action else { return nil }
            let lines = (step.message ?? "").split(separator: "\n").map(String.init)
            return Draft(
                "\(service.name) runs, but its initialiser failed: \((lines.first ?? "it said nothing").trimmed)",
                lines.prefix(4).map { Evidence(.step, $0) },
                facts.repair(
                    service.name, "mend the initialiser (\(step.plan.title))",
                    command: "microstax env explain \(facts.name) services.\(service.name).init"))
        },
        Rule(
            "removed_service_is_used", "A service uses the address of one that the overlay removed.",
            shownBy: "the Blueprint's references"
        ) { service, facts in
            for (key, value) in service.spec.env.sorted(by: { $0.key < $1.key }) {
                for reference in Template(parsing: value).references {
                    guard case .service(let name, _) = reference, facts.environment.difference.removed.contains(name)
                    else { continue }
                    return Draft(
                        "\(service.name) uses \(name), which \(facts.name) removed.",
                        [service.blueprintEvidence((key, value))] + facts.stepEvidence(service.name),
                        facts.edit(
                            service.name, "env.\(key)",
                            "change \(service.name) so that it does without \(name), or keep \(name)"))
                }
            }
            return nil
        },
        Rule(
            "secret_without_value", "A secret that the service uses has no value.", shownBy: "the step's error"
        ) { service, facts in
            guard let step = facts.failedStep(of: service.name),
                let found = LinePattern("the secret {} that {} uses has no value").captures(in: step.message ?? "")
            else { return nil }
            return Draft(
                "\(service.name) cannot be started: its secret \(found[0]) has no value.",
                facts.stepEvidence(service.name),
                facts.edit(service.name, "secrets", "give it a value: `auto-generated`, a literal, fromEnv or fromFile")
            )
        },
        Rule(
            environment: "outcome_unknown", "A crash hid whether a step took effect.",
            shownBy: "a step in state outcomeUnknown"
        ) { facts in
            guard let execution = facts.failedExecution else { return [] }
            return execution.steps.filter { $0.state == .outcomeUnknown }.map { step in
                Draft(
                    "nobody knows whether \"\(step.plan.title)\" took effect: the server ended while it ran.",
                    [Evidence(.step, "\(step.plan.key): \(step.message ?? "outcome unknown")")],
                    [
                        Suggestion(
                            id: "repeat-unknown",
                            title:
                                "look whether it took effect; run it again where it did not, or where twice does no harm",
                            command: "microstax env retry \(facts.name) --allow repeat-unknown")
                    ], service: step.service)
            }
        },
        Rule(
            environment: "fixed_port_belongs_to_another", "Two environments fix the same port.",
            shownBy: "the step's error"
        ) { facts in
            facts.failedSteps.compactMap { step in
                guard
                    let found = LinePattern("port {}, which the Blueprint fixes with hostPort, belongs to {}")
                        .captures(in: step.message ?? "")
                else { return nil }
                return Draft(
                    "port \(found[0]), which the Blueprint fixes with hostPort, belongs to \(found[1].trimmed).",
                    [Evidence(.step, step.message ?? "")],
                    [
                        Suggestion(
                            id: "edit-hostPort",
                            title:
                                "take `hostPort` out, or give it another number; callers use `${services.<name>.url}`"),
                        facts.changed,
                    ])
            }
        },
        Rule(
            environment: "ports_used_up", "Every port of the range is in use.", shownBy: "the step's error"
        ) { facts in
            facts.failedSteps.compactMap { step in
                guard LinePattern("every port from {} to {} is in use").captures(in: step.message ?? "") != nil else {
                    return nil
                }
                return Draft(
                    "there is no free port left in the range of MICROSTAX_PORTS.",
                    [Evidence(.step, step.message ?? "")],
                    [
                        Suggestion(
                            id: "delete-some",
                            title: "delete what is not needed, or start the server with a wider MICROSTAX_PORTS",
                            command: "microstax env list")
                    ])
            }
        },
    ]

    /// The execution has not given up yet.
    static let stepTriedAgain = Rule(
        environment: "step_tried_again", "A step failed and is tried again.",
        shownBy: "a step that waits for its next attempt",
        severity: .warning, standing: .general
    ) { facts in
        guard let execution = facts.executions.last, !execution.state.isFinal else { return [] }
        return execution.steps.filter { $0.retryAt != nil && $0.state != .succeeded }.map { step in
            let lines = (step.message ?? "it said nothing").split(separator: "\n").map(String.init)
            let wait = max(0, ((step.retryAt ?? 0) - facts.now) / 1000)
            return Draft(
                "\"\(step.plan.title)\" failed (attempt \(step.attempt)) and is tried again in \(wait) s: \((lines.first ?? "").trimmed)",
                lines.prefix(3).map { Evidence(.step, $0) },
                [
                    Suggestion(
                        id: "executions", title: "watch it; `execution cancel` gives up",
                        command: "microstax env executions \(facts.name)")
                ], service: step.service)
        }
    }

    /// Whatever failed and nobody else explains.
    static let stepFailed = Rule(
        environment: "step_failed", "A step of the last execution failed.", shownBy: "the step's error",
        standing: .general
    ) { facts in
        facts.failedSteps.map { step in
            let lines = (step.message ?? "it said nothing").split(separator: "\n").map(String.init)
            return Draft(
                "\(facts.name) is in error: \"\(step.plan.title)\" failed: \((lines.first ?? "").trimmed)",
                lines.prefix(4).map { Evidence(.step, $0) },
                [
                    Suggestion(
                        id: "retry", title: "go on from where it failed", command: "microstax env retry \(facts.name)",
                        action: .retry)
                ], confidence: .likely, service: step.service)
        }
    }
}

extension Facts {
    /// Of the last execution, where it failed.
    var failedSteps: [StepRecord] { failedExecution?.steps.filter { $0.state == .failed } ?? [] }

    func stepEvidence(_ service: String) -> [Evidence] {
        guard let step = failedStep(of: service) else { return [] }
        return [
            Evidence(
                .step, "\(step.plan.key): \(step.message?.split(separator: "\n").first.map(String.init) ?? "failed")")
        ]
    }
}
