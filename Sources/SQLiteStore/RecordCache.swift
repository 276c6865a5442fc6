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

    /// More environments than this are decoded again on every read.
    static let limit = 10_000

    private let entries = Mutex<[EnvironmentID: Entry]>([:])
    private let version: Atomic<Int64>

    /// - Parameter version: the highest that the database holds.
    init(after version: Int64) { self.version = Atomic(version) }

    func nextVersion() -> Int64 { version.add(1, ordering: .relaxed).newValue }

    /// All entries, at the cost of one reference.
    var snapshot: [EnvironmentID: Entry] { entries.withLock { $0 } }

    func entry(_ id: EnvironmentID) -> Entry? { entries.withLock { $0[id] } }

    /// Keeps the newer of what is there and what comes.
    func insert(_ new: [EnvironmentID: Entry]) {
        guard !new.isEmpty else { return }
        entries.withLock { entries in
            for (id, entry) in new where (entries[id]?.version ?? 0) < entry.version {
                guard entries[id] != nil || entries.count < Self.limit else { continue }
                entries[id] = entry
            }
        }
    }

    func remove(_ ids: Set<EnvironmentID>) {
        guard !ids.isEmpty else { return }
        entries.withLock { entries in
            for id in ids { entries[id] = nil }
        }
    }
}
