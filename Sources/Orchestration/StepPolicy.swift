import EnvironmentGraph

/// How long a step may take, and how often it is tried when its failure may pass.
package struct StepPolicy: Sendable, Hashable {
    /// Starts at most, in one run of the execution.
    package var attempts: Int
    /// Milliseconds for one attempt; `nil` where what it waits for has limits of its own.
    package var timeout: Int64?

    package init(attempts: Int, timeout: Int64?) {
        self.attempts = attempts
        self.timeout = timeout
    }

    /// - Parameter grace: the longest `stopGraceSeconds` of the environment's services.
    package static func of(_ action: PlannedStep.Action, grace: Double = 10) -> StepPolicy {
        let ending = Int64((grace * 1_000).rounded(.up)) + 30_000
        return switch action {
        case .allocatePorts, .trimPorts: StepPolicy(attempts: 5, timeout: 30_000)
        case .publishRoutes, .openRoutes, .closeRoutes: StepPolicy(attempts: 5, timeout: 30_000)
        case .startService: StepPolicy(attempts: 5, timeout: 60_000)
        // The runtime fails a service whose probe's limit passes; a build may take its time.
        case .awaitService: StepPolicy(attempts: 5, timeout: nil)
        // Their commands have limits of their own.
        case .initialise: StepPolicy(attempts: 5, timeout: 900_000)
        case .stopService, .stopStrays: StepPolicy(attempts: 5, timeout: ending)
        case .removeResources, .discard: StepPolicy(attempts: 5, timeout: ending + 120_000)
        case .releasePorts: StepPolicy(attempts: 5, timeout: 30_000)
        }
    }

    private static let firstPause: Int64 = 200
    private static let longestPause: Int64 = 10_000

    /// Milliseconds before the next start: doubled each time up to 10 s, of which at least half is kept, so that many
    /// that failed together do not come back together ("equal jitter", Brooker 2015).
    ///
    /// - Parameters:
    ///   - attempt: the one that failed, from 1.
    ///   - random: 0..<1.
    package static func pause(after attempt: Int, random: Double) -> Int64 {
        let whole = min(longestPause, firstPause << Int64(min(max(attempt - 1, 0), 16)))
        return whole / 2 + Int64(Double(whole / 2) * random)
    }
}
