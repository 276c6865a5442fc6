import EnvironmentGraph
import Storage

/// What was seen of calls.
extension Transaction {
    func observedCalls(in scope: String) throws -> ObservedCalls? {
        try observed("WHERE scope = ?", [.text(scope)]).first
    }

    func observedCalls(ofLineage name: String, limit: Int) throws -> [ObservedCalls] {
        try observed("WHERE lineage = ? ORDER BY scope LIMIT ?", [.text(name), .number(max(0, limit))])
    }

    private func observed(_ which: String, _ values: [SQLValue]) throws -> [ObservedCalls] {
        let found = try connection.rows("SELECT scope, record FROM calls \(which)", values) {
            (row) throws(StoreError) in (scope: row.text(0), json: row.blob(1))
        }
        var records: [ObservedCalls] = []
        for (scope, json) in found { records.append(try decode(ObservedCalls.self, json, "calls", scope)) }
        return records
    }

    func observedScopes() throws -> [String] {
        try connection.rows("SELECT scope FROM calls ORDER BY scope", []) { (row) throws(StoreError) in row.text(0) }
    }

    func save(_ observed: ObservedCalls) throws {
        try connection.execute(
            "INSERT OR REPLACE INTO calls(scope, lineage, record) VALUES(?, ?, ?)", .text(observed.scope),
            .text(observed.lineage), .text(try encode(observed, "calls", observed.scope)))
    }

    func removeObservedCalls(in scope: String) throws {
        try connection.execute("DELETE FROM calls WHERE scope = ?", .text(scope))
    }
}
