import Blueprints
import EnvironmentGraph

/// What the keeper of lifecycles knows of every environment, so that it need not ask the store for those that did not
/// change. A value; the keeper's alone.
struct LifecycleMemory {
    struct Entry {
        /// Without its services.
        var record: EnvironmentRecord
        /// Of the record, or of one before it; `nil` where it is not known.
        var version: Int64?
        var isExecuting = false
        var lastCommandAt: Int64?
        var lastExecutionEndedAt: Int64?
        /// Seen by the keeper itself: the first look at which nothing used it any more.
        var lastUsedAt: Int64?
        var wasInUse = false
        /// `nil`: not before it changes.
        var dueAt: Int64?
        /// What was said of it already, so that it is said once.
        var said: Set<String> = []
        /// Attempts that were refused, one after the other.
        var refusals = 0
    }

    private(set) var entries: [EnvironmentID: Entry] = [:]
    private var overlays: [EnvironmentID: Set<EnvironmentID>] = [:]

    subscript(_ id: EnvironmentID) -> Entry? {
        get { entries[id] }
        set { if let newValue, entries[id] != nil { entries[id] = newValue } }
    }

    mutating func set(_ record: EnvironmentRecord, version: Int64? = nil) {
        var record = record
        // What it runs is nobody's business here, and most of what there is to remember.
        record.spec.services = []
        if var entry = entries[record.id] {
            if entry.record.state != record.state { entry.refusals = 0 }
            // What was said of another end is said again.
            if entry.record.expiresAt != record.expiresAt || entry.record.isProtected != record.isProtected {
                entry.said = []
            }
            entry.record = record
            entry.version = version
            entries[record.id] = entry
        } else {
            entries[record.id] = Entry(record: record, version: version)
        }
        if let parent = record.parent?.id { overlays[parent, default: []].insert(record.id) }
    }

    mutating func remove(_ id: EnvironmentID) {
        guard let entry = entries.removeValue(forKey: id), let parent = entry.record.parent?.id else { return }
        overlays[parent]?.remove(id)
        if overlays[parent]?.isEmpty ?? false { overlays[parent] = nil }
    }

    /// What a change of an environment can concern: itself, what it stands on, and what stands on it.
    func concerned(by id: EnvironmentID) -> Set<EnvironmentID> {
        (overlays[id] ?? []).union([id]).union([entries[id]?.record.parent?.id].compactMap { $0 })
    }

    func overlays(on id: EnvironmentID) -> [EnvironmentRecord] {
        (overlays[id] ?? []).compactMap { entries[$0]?.record }.sorted { $0.name < $1.name }
    }

    func due(at now: Int64) -> [EnvironmentID] {
        entries.compactMap { ($0.value.dueAt ?? .max) <= now ? $0.key : nil }
    }

    var nextDueAt: Int64? { entries.values.lazy.compactMap(\.dueAt).min() }

    func facts(of id: EnvironmentID, use: LifecycleFacts.Use, knownSince: Int64, clockJumpedAt: Int64?)
        -> LifecycleFacts?
    {
        guard let entry = entries[id] else { return nil }
        let parent = entry.record.parent.map { pin in
            entries[pin.id].map {
                LifecycleFacts.Relative(name: pin.name, isAwake: [.running, .degraded].contains($0.record.state))
            } ?? LifecycleFacts.Relative(name: pin.name, isAwake: false)
        }
        return LifecycleFacts(
            record: entry.record, parent: parent, overlays: overlays(on: id).map { .init($0) },
            isExecuting: entry.isExecuting, lastCommandAt: entry.lastCommandAt,
            lastExecutionEndedAt: entry.lastExecutionEndedAt, use: use, knownSince: knownSince,
            clockJumpedAt: clockJumpedAt)
    }
}
