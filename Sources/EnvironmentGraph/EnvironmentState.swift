/// The states of an environment, as published in the API.
package enum EnvironmentState: String, Sendable, Hashable, Codable, CaseIterable {
    case pending, planning, provisioning, running, degraded, stopping, stopped, resuming, updating, error, deleting
    case deleted

    /// Whether work is going on that will end by itself in another state.
    package var isTransient: Bool {
        switch self {
        case .pending, .planning, .provisioning, .stopping, .resuming, .updating, .deleting: true
        case .running, .degraded, .stopped, .error, .deleted: false
        }
    }

    /// The states that may follow this one; everything else is refused in one place, ``EnvironmentRecord/move(to:message:)``.
    package var successors: Set<EnvironmentState> {
        switch self {
        case .pending: [.planning, .provisioning, .stopping, .error, .deleting]
        case .planning: [.provisioning, .error, .deleting]
        case .provisioning: [.running, .degraded, .stopping, .error, .deleting]
        case .running: [.degraded, .stopping, .updating, .error, .deleting]
        case .degraded: [.running, .stopping, .updating, .error, .deleting]
        case .stopping: [.stopped, .resuming, .error, .deleting]
        case .stopped: [.resuming, .updating, .error, .deleting]
        case .resuming: [.running, .degraded, .stopping, .error, .deleting]
        case .updating: [.running, .degraded, .stopping, .error, .deleting]
        case .error: [.provisioning, .running, .degraded, .updating, .resuming, .stopping, .deleting]
        case .deleting: [.deleted, .error]
        case .deleted: []
        }
    }
}
