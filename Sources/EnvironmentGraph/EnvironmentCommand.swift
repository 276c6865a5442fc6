/// What a person can ask of an environment that exists, and in which states it works. Kept here and nowhere else.
package enum EnvironmentCommand: String, Sendable, Hashable, CaseIterable {
    case stop, resume, retry, delete

    package var allowedStates: Set<EnvironmentState> {
        switch self {
        case .stop: [.running, .degraded, .error]
        case .resume: [.stopped]
        case .retry: [.error]
        case .delete: Set(EnvironmentState.allCases).subtracting([.deleted])
        }
    }
}
