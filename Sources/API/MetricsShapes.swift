/// `GET /v1/environments/{id}/metrics`.
package struct MetricsView: Codable, Sendable, Hashable {
    package var id: String
    package var name: String
    package var measuredAt: String
    /// Since when the gateway counts requests: it counts anew when it is started anew.
    package var requestsSince: String?
    package var services: [ServiceMetricsView]
    /// What could not be found out, and why.
    package var message: String?

    package init(
        id: String, name: String, measuredAt: String, requestsSince: String?, services: [ServiceMetricsView],
        message: String? = nil
    ) {
        self.id = id
        self.name = name
        self.measuredAt = measuredAt
        self.requestsSince = requestsSince
        self.services = services
        self.message = message
    }
}

package struct ServiceMetricsView: Codable, Sendable, Hashable {
    package var name: String
    /// Absent where nobody answers (removed).
    package var provider: ProviderView?
    /// As in the environment's `services`.
    package var state: String
    /// Of the copy that this environment runs; absent where another one runs it.
    package var usage: UsageView?
    /// Absent where the gateway does not answer.
    package var requests: RequestMetricsView?

    package init(
        name: String, provider: ProviderView?, state: String, usage: UsageView?, requests: RequestMetricsView?
    ) {
        self.name = name
        self.provider = provider
        self.state = state
        self.usage = usage
        self.requests = requests
    }
}

/// What a service's processes use, all of its tree together.
package struct UsageView: Codable, Sendable, Hashable {
    package var processes: Int
    /// Of one core, over `intervalMilliseconds`: 200 is two cores. Absent where there was nothing to compare with.
    package var cpuPercent: Double?
    package var intervalMilliseconds: Int64?
    /// Since `cpuSince`, of ended processes too.
    package var cpuSeconds: Double
    package var cpuSince: String?
    /// In memory; what its processes share counts once.
    package var memoryBytes: Int64
    package var restarts: Int
    /// Since its main process started; absent where none runs.
    package var uptimeMilliseconds: Int64?

    package init(
        processes: Int, cpuPercent: Double?, intervalMilliseconds: Int64?, cpuSeconds: Double, cpuSince: String?,
        memoryBytes: Int64, restarts: Int, uptimeMilliseconds: Int64?
    ) {
        self.processes = processes
        self.cpuPercent = cpuPercent
        self.intervalMilliseconds = intervalMilliseconds
        self.cpuSeconds = cpuSeconds
        self.cpuSince = cpuSince
        self.memoryBytes = memoryBytes
        self.restarts = restarts
        self.uptimeMilliseconds = uptimeMilliseconds
    }
}

/// Requests (and TCP connections) to a service through the gateway.
package struct RequestMetricsView: Codable, Sendable, Hashable {
    package struct Provider: Codable, Sendable, Hashable {
        /// Name of the environment whose copy was asked.
        package var environment: String
        package var count: UInt64

        package init(environment: String, count: UInt64) {
            self.environment = environment
            self.count = count
        }
    }

    package struct Refusal: Codable, Sendable, Hashable {
        /// `x-msx-error` of the gateway's own answer.
        package var code: String
        package var count: UInt64

        package init(code: String, count: UInt64) {
            self.code = code
            self.count = count
        }
    }

    /// In this environment's context: those below together.
    package var total: UInt64
    package var byProvider: [Provider]
    /// Those that the gateway answered itself.
    package var errors: [Refusal]
    /// By the copy that this environment runs, in whatever context; absent where another one runs it.
    package var answeredHere: UInt64?

    package init(total: UInt64, byProvider: [Provider], errors: [Refusal], answeredHere: UInt64?) {
        self.total = total
        self.byProvider = byProvider
        self.errors = errors
        self.answeredHere = answeredHere
    }
}
