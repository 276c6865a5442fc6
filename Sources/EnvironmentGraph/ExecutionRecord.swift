/// One durable run of a plan on one environment.
package struct ExecutionRecord: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case create, delete, stop, resume
        /// Goes on with a create or a resume that failed, from where it failed.
        case retry
    }

    package enum State: String, Sendable, Hashable, Codable, CaseIterable {
        case pending, running, compensating, succeeded, failed, undone, cancelled

        package var isFinal: Bool {
            switch self {
            case .pending, .running, .compensating: false
            case .succeeded, .failed, .undone, .cancelled: true
            }
        }
    }

    package var id: ExecutionID
    package var environment: EnvironmentID
    package var kind: Kind
    package var state: State
    package var error: String?
    /// In an order in which they can run: every step stands after those that it needs.
    package var steps: [StepRecord]
    /// Milliseconds since 1970, UTC.
    package var createdAt: Int64
    package var finishedAt: Int64?

    package init(
        id: ExecutionID, environment: EnvironmentID, kind: Kind, state: State = .pending, steps: [StepRecord],
        createdAt: Int64
    ) {
        self.id = id
        self.environment = environment
        self.kind = kind
        self.state = state
        self.steps = steps
        self.createdAt = createdAt
    }
}

/// One step of an execution with its checkpoint.
package struct StepRecord: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable, CaseIterable {
        case pending, running, succeeded, failed, skipped, outcomeUnknown
    }

    package var plan: PlannedStep
    package var state: State
    /// Starts so far.
    package var attempt: Int
    /// What it is doing just now, or the reason of its failure.
    package var message: String?
    package var startedAt: Int64?
    package var finishedAt: Int64?

    package init(plan: PlannedStep, state: State = .pending) {
        self.plan = plan
        self.state = state
        attempt = 0
    }
}
