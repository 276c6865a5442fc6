import EnvironmentGraph
import Logging
import Runtimes
import Storage
import Synchronization

/// Finds what the runtime has of environments that nobody knows, by asking it for everything that carries our marks.
///
/// What is left of an environment whose deletion has ended is removed: we said that it is gone. Everything else may be
/// all that is left of somebody's data (a state folder that an older backup was restored into), and is only reported.
final class OrphanSearch: Sendable {
    private let actions: StepActions
    private let log: Logger
    /// Seen once; only what is still there at the next search counts, as a deletion may just be under way.
    private let candidates = Mutex<Set<EnvironmentID>>([])

    init(actions: StepActions, log: Logger) {
        self.actions = actions
        self.log = log
    }

    /// - Returns: whether something waits for a second look.
    func search() async throws -> Bool {
        let there = Set(try await actions.runtime.environments())
        let (known, noted) = try await actions.store.read { store in
            (Set(try store.outlines().map(\.id)), try store.deviations(of: nil).filter { $0.kind == .orphan })
        }
        let strangers = there.subtracting(known)
        let before = candidates.withLock { candidates in
            defer { candidates = strangers }
            return candidates
        }
        for id in strangers.intersection(before).sorted() {
            if try await wasDeleted(id) {
                log.warning("removing what is left of a deleted environment", metadata: ["environment": "\(id)"])
                try await actions.runtime.delete(id)
            } else if !noted.contains(where: { $0.environment == id }) {
                try await note(id)
            }
        }
        for orphan in noted where !strangers.contains(orphan.environment) {
            let (id, now) = (orphan.environment, actions.outside.now())
            try await actions.store.write { store in
                try DeviationBook(store: store, environment: id, name: id.rawValue, now: now).ended(orphan)
                if !known.contains(id) { try store.removeDeviations(of: id) }
            }
        }
        return !strangers.subtracting(before).isEmpty
    }

    private func wasDeleted(_ id: EnvironmentID) async throws -> Bool {
        let last = try await actions.store.read { try $0.lastExecutionWithoutSteps(of: id) }
        return switch (last?.purpose, last?.state) {
        case (.delete, .succeeded), (.create, .undone): true
        default: false
        }
    }

    private func note(_ id: EnvironmentID) async throws {
        let now = actions.outside.now()
        let finding = Finding(
            kind: .orphan, service: nil,
            message: "the runtime has something of \(id), and there is no such environment", remedy: .stop)
        try await actions.store.write { store in
            try DeviationBook(store: store, environment: id, name: id.rawValue, now: now).found(
                finding, remedy: "look what it is; remove it with its data: microstax env delete \(id) --orphan")
        }
    }
}
