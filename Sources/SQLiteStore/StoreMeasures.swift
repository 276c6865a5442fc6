import Foundation
import Storage

/// How much a store holds, counted in one transaction.
package struct StoreMeasures: Sendable, Hashable {
    package struct Count: Sendable, Hashable {
        /// An environment's mode, an execution's kind.
        package var kind: String
        package var state: String
        package var count: Int
    }

    /// Of the file, and of the log beside it.
    package var bytes: Int
    package var logBytes: Int
    package var environments: [Count]
    package var executions: [Count]
}

extension SQLiteStore {
    package func measures() async throws -> StoreMeasures {
        let path = path
        return try await read { store in
            // Every reading of this store is one of its transactions.
            guard let transaction = store as? Transaction else { throw StoreError.closed(path) }
            return try transaction.measures(path)
        }
    }
}

extension Transaction {
    fileprivate func measures(_ path: String) throws(StoreError) -> StoreMeasures {
        StoreMeasures(
            bytes: Self.size(path), logBytes: Self.size(path + "-wal"),
            environments: try counts(
                "SELECT mode, state, count(*) FROM environments GROUP BY mode, state ORDER BY mode, state"),
            executions: try counts(
                "SELECT kind, state, count(*) FROM executions GROUP BY kind, state ORDER BY kind, state"))
    }

    private func counts(_ sql: String) throws(StoreError) -> [StoreMeasures.Count] {
        try connection.rows(sql) { row in
            StoreMeasures.Count(kind: row.text(0), state: row.text(1), count: row.number(2))
        }
    }

    private static func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }
}
