/// One durable run of a plan on one environment.
package struct ExecutionRecord: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case create, delete, stop, resume, update, scale
        /// Starts services anew in place.
        case restart
        /// Goes on with an execution that failed, from where it failed.
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
    /// Who asked for it: `owner`, a token's name, or `microstax` itself.
    package var actor: String?
    /// Why, where nobody asked: `idle for 30 min`, `ttl`, `schedule`.
    package var reason: String?
    /// For a retry: what it goes on with.
    package var retried: Kind?

    /// For an update: the revision before it.
    package var revisionBefore: Int?
    /// For a scale: the replicas before it, of the services that it scaled.
    package var replicasBefore: [String: Int]?

    /// Who starts what requests wait for.
    package static let gateway = "gateway"

    /// What it is for: a retry is for what it goes on with.
    package var purpose: Kind { kind == .retry ? retried ?? .create : kind }

    package init(
        id: ExecutionID, environment: EnvironmentID, kind: Kind, state: State = .pending, steps: [StepRecord],
        createdAt: Int64, actor: String? = nil, reason: String? = nil
    ) {
        self.id = id
        self.environment = environment
        self.kind = kind
        self.state = state
        self.steps = steps
        self.createdAt = createdAt
        self.actor = actor
        self.reason = reason
    }
}

/// One step of an execution with its checkpoint.
package struct StepRecord: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable, CaseIterable {
        case pending, running, succeeded, failed, skipped, outcomeUnknown
        /// Its compensation runs, or is through.
        case undoing, undone
    }

    package var plan: PlannedStep
    package var state: State
    /// Starts so far.
    package var attempt: Int
    /// What it is doing just now, or the reason of its failure.
    package var message: String?
    /// When it is tried again after a failure that may pass; milliseconds since 1970, UTC.
    package var retryAt: Int64?
    package var startedAt: Int64?
    package var finishedAt: Int64?

    package init(plan: PlannedStep, state: State = .pending) {
        self.plan = plan
        self.state = state
        attempt = 0
    }
}
