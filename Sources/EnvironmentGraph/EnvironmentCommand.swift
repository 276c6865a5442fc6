/// What a person can ask of an environment that exists, and in which states it works. Kept here and nowhere else.
///
/// In a state in which something is under way, the command supersedes it: that execution ends as `cancelled`, and the new
/// one goes on from what is there.
package enum EnvironmentCommand: String, Sendable, Hashable, CaseIterable {
    case stop, resume, restart, retry, undo, update, scale, delete

    package var allowedStates: Set<EnvironmentState> {
        switch self {
        case .stop: [.running, .degraded, .error, .provisioning, .resuming, .updating]
        case .resume: [.stopped, .stopping]
        case .restart: [.running, .degraded]
        case .retry: [.error]
        case .undo: [.pending, .provisioning, .resuming, .updating, .error]
        case .update: [.running, .degraded, .stopped, .error, .updating]
        case .scale: [.running, .degraded, .stopped, .updating]
        case .delete: Set(EnvironmentState.allCases).subtracting([.deleted])
        }
    }
}
