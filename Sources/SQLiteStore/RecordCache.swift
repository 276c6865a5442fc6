import EnvironmentGraph
import Synchronization

/// Environments as they were decoded, each with the version of its row.
///
/// Every saved row gets a version that this process never gave before, also when its transaction was rolled back; so
/// equal versions are equal records, whichever snapshot a reader sees, and nothing ever has to be invalidated.
final class RecordCache: Sendable {
    struct Entry: Sendable {
        var version: Int64
        var record: EnvironmentRecord
    }

    /// Two generations of at most this many: what was not saved or decoded anew while the younger one filled up is
    /// forgotten.
    static let generationLimit = 2_000

    /// All entries at one moment, at the cost of two references.
    struct Snapshot: Sendable {
        fileprivate var young: [EnvironmentID: Entry] = [:]
        fileprivate var old: [EnvironmentID: Entry] = [:]

        subscript(_ id: EnvironmentID) -> Entry? { young[id] ?? old[id] }

        fileprivate mutating func insert(_ entry: Entry, _ id: EnvironmentID, limit: Int) {
            if young.count >= limit, young[id] == nil { (old, young) = (young, [:]) }
            young[id] = entry
        }
    }

    private let limit: Int
    private let entries = Mutex(Snapshot())
    private let version: Atomic<Int64>

    /// - Parameter version: the highest that the database holds.
    init(after version: Int64, generationLimit: Int = RecordCache.generationLimit) {
        self.version = Atomic(version)
        limit = generationLimit
    }

    func nextVersion() -> Int64 { version.add(1, ordering: .relaxed).newValue }

    var snapshot: Snapshot { entries.withLock { $0 } }

    func entry(_ id: EnvironmentID) -> Entry? {
        entries.withLock { entries in
            if let entry = entries.young[id] { return entry }
            guard let entry = entries.old[id] else { return nil }
            entries.insert(entry, id, limit: limit)
            return entry
        }
    }

    /// Keeps the newer of what is there and what comes.
    func insert(_ new: [EnvironmentID: Entry]) {
        guard !new.isEmpty else { return }
        entries.withLock { entries in
            for (id, entry) in new where (entries[id]?.version ?? 0) < entry.version {
                entries.insert(entry, id, limit: limit)
            }
        }
    }

    func remove(_ ids: Set<EnvironmentID>) {
        guard !ids.isEmpty else { return }
        entries.withLock { entries in
            for id in ids {
                entries.young[id] = nil
                entries.old[id] = nil
            }
        }
    }
}
