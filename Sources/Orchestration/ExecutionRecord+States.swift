import EnvironmentGraph

/// What an execution means for the state of its environment: the one place where that is said.
extension ExecutionRecord {
    package var stateWhileRunning: EnvironmentState {
        switch (state, purpose) {
        case (.compensating, .create): .deleting
        case (.compensating, .resume): .stopping
        case (_, .create), (_, .retry): .provisioning
        case (_, .resume): .resuming
        case (_, .stop): .stopping
        case (_, .update), (_, .scale), (_, .restart): .updating
        case (_, .delete): .deleting
        }
    }

    /// Whether its environment answers already, although there is something left to do.
    var hasOpened: Bool { steps.contains { $0.plan.action == .openRoutes && $0.state == .succeeded } }

    /// `nil` where it stays as a step left it.
    ///
    /// - Parameter now: where the environment is. Opening the routes has moved it on; but a server that died after that, or
    ///   a retry of what failed after that, has moved it back.
    package func stateAfterEnding(in now: EnvironmentState) -> EnvironmentState? {
        switch (state, purpose) {
        // Somebody asked for a cold service that does not start: the others are none the worse for it.
        case (.failed, .restart) where actor == Self.gateway: .degraded
        case (.failed, _): .error
        case (.succeeded, .stop), (.undone, .resume): .stopped
        case (.succeeded, .delete): nil
        case (.succeeded, _): now == stateWhileRunning ? .running : nil
        default: nil
        }
    }
}
