/// `GET /v1/environments/{id}/plan`.
package struct PlanView: Codable, Sendable, Hashable {
    /// The environment's name.
    package var environment: String
    package var mode: String
    /// Of the steps.
    package var fingerprint: String
    /// What a person said that will be tried.
    package var focus: [String]
    package var services: [PlannedServiceView]
    package var steps: [StepView]
    /// Where a review was asked for.
    package var review: ReviewView?

    package init(
        environment: String, mode: String, fingerprint: String, focus: [String], services: [PlannedServiceView],
        steps: [StepView], review: ReviewView? = nil
    ) {
        self.environment = environment
        self.mode = mode
        self.fingerprint = fingerprint
        self.focus = focus
        self.services = services
        self.steps = steps
        self.review = review
    }
}

/// What becomes of one service, and why.
package struct PlannedServiceView: Codable, Sendable, Hashable {
    package var service: String
    /// `local`, `inherited`, `eager` or `cold`.
    package var verdict: String
    /// Requests are expected to reach it.
    package var exercised: Bool
    package var reason: String
    /// As the gateway has seen it; absent where nothing was seen.
    package var traffic: TrafficView?

    package init(service: String, verdict: String, exercised: Bool, reason: String, traffic: TrafficView? = nil) {
        self.service = service
        self.verdict = verdict
        self.exercised = exercised
        self.reason = reason
        self.traffic = traffic
    }
}

/// Calls of a service that followed from the requests through one entry point, in the last 14 days.
package struct TrafficView: Codable, Sendable, Hashable {
    package var entry: String
    /// From outside to the entry point.
    package var requests: UInt64
    /// Of the service, by proportion where several entry points lead to it.
    package var calls: Double
    /// 0 to 100.
    package var sharePercent: Double
    package var lastAt: String

    package init(entry: String, requests: UInt64, calls: Double, sharePercent: Double, lastAt: String) {
        self.entry = entry
        self.requests = requests
        self.calls = calls
        self.sharePercent = sharePercent
        self.lastAt = lastAt
    }
}

/// What was predicted, beside what was called in the environment's context.
package struct ReviewView: Codable, Sendable, Hashable {
    package struct Service: Codable, Sendable, Hashable {
        package var service: String
        package var calls: UInt64
        package var lastAt: String?
        /// Why it was predicted, or was not.
        package var reason: String

        package init(service: String, calls: UInt64, lastAt: String?, reason: String) {
            self.service = service
            self.calls = calls
            self.lastAt = lastAt
            self.reason = reason
        }
    }

    /// From outside.
    package var requests: UInt64
    package var predictedAndCalled: [Service]
    package var predictedNeverCalled: [Service]
    package var calledNotPredicted: [Service]

    package init(
        requests: UInt64, predictedAndCalled: [Service], predictedNeverCalled: [Service], calledNotPredicted: [Service]
    ) {
        self.requests = requests
        self.predictedAndCalled = predictedAndCalled
        self.predictedNeverCalled = predictedNeverCalled
        self.calledNotPredicted = calledNotPredicted
    }
}

/// `GET /v1/environments/{id}/graph`.
package struct GraphView: Codable, Sendable, Hashable {
    package struct Service: Codable, Sendable, Hashable {
        package var name: String
        /// `local`, `inherited`, `eager` or `cold`.
        package var verdict: String
        package var provider: ProviderView
        package var exposed: Bool
        /// Requests come in here: it is exposed, or was called from outside.
        package var entry: Bool
        /// `http`, `http2`, `grpc`, `tcp`, in the order of its ports.
        package var protocols: [String]

        package init(
            name: String, verdict: String, provider: ProviderView, exposed: Bool, entry: Bool, protocols: [String]
        ) {
            self.name = name
            self.verdict = verdict
            self.provider = provider
            self.exposed = exposed
            self.entry = entry
            self.protocols = protocols
        }
    }

    package struct Edge: Codable, Sendable, Hashable {
        /// Absent: from outside.
        package var from: String?
        package var to: String
        /// `declared`, `reference`, `inferred`, `observed`.
        package var origins: [String]
        /// `started`, `healthy` or `completed`, where it orders the start.
        package var condition: String?
        /// In the last 14 days.
        package var calls: UInt64?
        package var lastAt: String?

        package init(
            from: String?, to: String, origins: [String], condition: String? = nil, calls: UInt64? = nil,
            lastAt: String? = nil
        ) {
            self.from = from
            self.to = to
            self.origins = origins
            self.condition = condition
            self.calls = calls
            self.lastAt = lastAt
        }
    }

    package var environment: String
    package var mode: String
    package var fingerprint: String
    /// Sorted by name.
    package var services: [Service]
    /// Those from outside first, then sorted by where they come from and go to.
    package var edges: [Edge]

    package init(environment: String, mode: String, fingerprint: String, services: [Service], edges: [Edge]) {
        self.environment = environment
        self.mode = mode
        self.fingerprint = fingerprint
        self.services = services
        self.edges = edges
    }
}
