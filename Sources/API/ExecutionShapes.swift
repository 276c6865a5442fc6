package struct ExecutionView: Codable, Sendable, Hashable {
    package var id: String
    /// The environment's id.
    package var environment: String
    /// `create`, `retry`, `stop`, `resume`, `update`, `scale` or `delete`.
    package var kind: String
    /// `pending`, `running`, `compensating`, `succeeded`, `failed`, `undone` or `cancelled`.
    package var state: String
    package var error: String?
    package var steps: [StepView]
    package var createdAt: String?
    package var finishedAt: String?
    /// Who asked for it: `owner`, a token's name, or `microstax` itself.
    package var actor: String?
    /// Why, where nobody asked.
    package var reason: String?

    package init(
        id: String, environment: String, kind: String, state: String, error: String? = nil, steps: [StepView],
        createdAt: String? = nil, finishedAt: String? = nil, actor: String? = nil, reason: String? = nil
    ) {
        self.createdAt = createdAt
        self.finishedAt = finishedAt
        self.actor = actor
        self.reason = reason
        self.id = id
        self.environment = environment
        self.kind = kind
        self.state = state
        self.error = error
        self.steps = steps
    }

    package var isFinal: Bool { ["succeeded", "failed", "undone", "cancelled"].contains(state) }
}

package struct StepView: Codable, Sendable, Hashable {
    /// Deterministic and hierarchical: `service/payments/start`.
    package var key: String
    package var title: String
    /// `pending`, `running`, `succeeded`, `failed`, `skipped`, `outcomeUnknown`, `undoing` or `undone`.
    package var state: String
    package var attempt: Int
    /// Why the plan has it.
    package var reason: String
    package var startedAt: String?
    package var finishedAt: String?
    /// What it is doing, while it runs.
    package var message: String?
    package var error: String?

    package init(
        key: String, title: String, state: String, attempt: Int, reason: String, startedAt: String? = nil,
        finishedAt: String? = nil, message: String? = nil, error: String? = nil
    ) {
        self.key = key
        self.title = title
        self.state = state
        self.attempt = attempt
        self.reason = reason
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.message = message
        self.error = error
    }
}

/// One message of `GET /v1/environments/{id}/events` (server-sent events, `data:` is this as JSON). The first gives
/// the present state, the following ones come with every change; the stream ends when the environment is deleted.
package struct EventView: Codable, Sendable, Hashable {
    package var environment: EnvironmentView
    package var execution: ExecutionView?

    package init(environment: EnvironmentView, execution: ExecutionView?) {
        self.environment = environment
        self.execution = execution
    }
}
