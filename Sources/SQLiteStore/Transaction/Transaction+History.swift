import EnvironmentGraph
import Storage

/// Events and deviations: what happened to environments, also to those that are gone.
extension Transaction {
    func events(of id: EnvironmentID?, after: Int64?, limit: Int) throws -> [EventRecord] {
        let (place, values): (String, [SQLValue]) =
            id.map { ("environment = ? AND ", [.text($0.rawValue)]) } ?? ("", [])
        let found = try connection.rows(
            """
            SELECT sequence, record FROM events WHERE \(place)sequence > ?
            ORDER BY sequence \(after == nil ? "DESC" : "ASC") LIMIT ?
            """, values + [.integer(after ?? 0), .number(max(0, limit))]
        ) { (row) throws(StoreError) in (sequence: row.integer(0), json: row.blob(1)) }
        var events: [EventRecord] = []
        for (sequence, json) in after == nil ? found.reversed() : found {
            var event = try decode(EventRecord.self, json, "events", "\(sequence)")
            event.sequence = sequence
            events.append(event)
        }
        return events
    }

    func append(_ event: EventRecord) throws {
        let environment = SQLValue.text(event.environment.rawValue)
        try connection.execute(
            "INSERT INTO events(environment, record) VALUES(?, ?)", environment,
            .text(try encode(event, "events", event.environment.rawValue)))
        // Every so often is enough: what is too old goes in a batch.
        let sequence = try connection.integer("SELECT last_insert_rowid()")
        guard sequence % 32 == 0 else { return }
        try connection.execute(
            """
            DELETE FROM events WHERE environment = ?1 AND sequence <= (
                SELECT sequence FROM events WHERE environment = ?1 ORDER BY sequence DESC LIMIT 1 OFFSET ?2)
            """, environment, .number(EventRecord.keptPerEnvironment))
    }

    func deviations(of id: EnvironmentID?) throws -> [DeviationRecord] {
        let found = try connection.rows(
            """
            SELECT environment, kind, record FROM deviations \(id == nil ? "" : "WHERE environment = ?")
            ORDER BY last_seen_at DESC, environment, service, kind
            """, id.map { [.text($0.rawValue)] } ?? []
        ) { (row) throws(StoreError) in (id: row.text(0) + " " + row.text(1), json: row.blob(2)) }
        var records: [DeviationRecord] = []
        for (id, json) in found { records.append(try decode(DeviationRecord.self, json, "deviations", id)) }
        return records
    }

    func save(_ deviation: DeviationRecord) throws {
        let id = deviation.environment.rawValue
        try connection.execute(
            """
            INSERT OR REPLACE INTO deviations(environment, service, kind, last_seen_at, record) VALUES(?, ?, ?, ?, ?)
            """,
            .text(id), .text(deviation.service ?? ""), .text(deviation.kind.rawValue), .integer(deviation.lastSeenAt),
            .text(try encode(deviation, "deviations", id)))
    }

    func removeDeviations(of id: EnvironmentID) throws {
        try connection.execute("DELETE FROM deviations WHERE environment = ?", .text(id.rawValue))
    }
}
