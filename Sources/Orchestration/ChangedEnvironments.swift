import EnvironmentGraph
import Synchronization

/// The environments that changed since somebody last asked; see ``StatusBoard/collectChanges(bell:)``.
package final class ChangedEnvironments: Sendable {
    private let ids = Mutex<Set<EnvironmentID>>([])
    private let bell: @Sendable () -> Void
    private let onEnd: @Sendable () -> Void

    init(bell: @escaping @Sendable () -> Void, onEnd: @escaping @Sendable () -> Void) {
        self.bell = bell
        self.onEnd = onEnd
    }

    func add(_ id: EnvironmentID) {
        _ = ids.withLock { $0.insert(id) }
        bell()
    }

    /// Those since the last time.
    package func take() -> Set<EnvironmentID> {
        ids.withLock { ids in
            defer { ids = [] }
            return ids
        }
    }

    /// Collects nothing any more.
    package func end() { onEnd() }
}
