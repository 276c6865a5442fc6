import Blueprints
import EnvironmentGraph
import Storage

extension Transaction {
    func environment(_ id: EnvironmentID) throws -> EnvironmentRecord? {
        try environments("SELECT id, version FROM environments WHERE id = ?", .text(id.rawValue)).first
    }

    func environment(named name: String) throws -> EnvironmentRecord? {
        try environments(
            "SELECT id, version FROM environments WHERE name = ? AND state <> 'deleted'", .text(name)
        ).first
    }

    func environments() throws -> [EnvironmentRecord] {
        try environments("SELECT id, version FROM environments WHERE state <> 'deleted' ORDER BY name")
    }

    func environments(after name: String, modes: Set<EnvironmentMode>, limit: Int) throws -> [EnvironmentRecord] {
        try environments(
            """
            SELECT id, version FROM environments WHERE state <> 'deleted' AND name > ? AND instr(?, mode) > 0
            ORDER BY name LIMIT ?
            """, .text(name), .text(modes.map(\.rawValue).joined(separator: " ")), .number(max(0, limit)))
    }

    func outlines() throws -> [EnvironmentOutline] {
        try outlines("SELECT id, state, wanted FROM environments WHERE state <> 'deleted'")
    }

    func outline(of id: EnvironmentID) throws -> EnvironmentOutline? {
        try outlines(
            "SELECT id, state, wanted FROM environments WHERE id = ? AND state <> 'deleted'", .text(id.rawValue)
        ).first
    }

    func names() throws -> [EnvironmentID: String] {
        let rows = try connection.rows("SELECT id, name FROM environments WHERE state <> 'deleted'") {
            (row) throws(StoreError) in (EnvironmentID(rawValue: row.text(0)), row.text(1))
        }
        return Dictionary(rows) { $1 }
    }

    func versions() throws -> [EnvironmentID: Int64] {
        let rows = try connection.rows("SELECT id, version FROM environments WHERE state <> 'deleted'") {
            (row) throws(StoreError) in (EnvironmentID(rawValue: row.text(0)), row.integer(1))
        }
        return Dictionary(rows) { $1 }
    }

    private func outlines(_ sql: String, _ values: SQLValue...) throws(StoreError) -> [EnvironmentOutline] {
        let rows = try connection.rows(sql, values) { (row) throws(StoreError) in
            (id: row.text(0), state: row.text(1), wanted: row.number(2))
        }
        return try rows.map { (row) throws(StoreError) in
            guard let state = EnvironmentState(rawValue: row.state) else {
                throw StoreError(.corrupt, "the environment \(row.id) has no known state: \(row.state)")
            }
            return EnvironmentOutline(
                id: EnvironmentID(rawValue: row.id), state: state, wantedInstances: row.wanted < 0 ? nil : row.wanted)
        }
    }

    func overlays(withOverlayID id: String) throws -> [EnvironmentRecord] {
        try environments(
            """
            SELECT id, version FROM environments
            WHERE overlay = ? AND mode = 'overlay' AND state <> 'deleted' ORDER BY name
            """, .text(id))
    }

    func holders(of claims: Set<String>) throws -> [ClaimHolder] {
        try claims.sorted().flatMap { claim in
            try connection.rows(
                """
                SELECT environment, service FROM claims JOIN environments ON environments.id = claims.environment
                WHERE claim = ? AND state <> 'deleted' ORDER BY environment, service
                """, [.text(claim)]
            ) { (row) throws(StoreError) in
                ClaimHolder(claim: claim, environment: EnvironmentID(rawValue: row.text(0)), service: row.text(1))
            }
        }
    }

    private func saveClaims(of environment: EnvironmentRecord) throws(StoreError) {
        try connection.execute("DELETE FROM claims WHERE environment = ?", .text(environment.id.rawValue))
        for holder in ClaimHolder.holders(in: environment) {
            try connection.execute(
                "INSERT OR IGNORE INTO claims(claim, environment, service) VALUES(?, ?, ?)", .text(holder.claim),
                .text(environment.id.rawValue), .text(holder.service))
        }
    }

    func children(of id: EnvironmentID) throws -> [EnvironmentRecord] {
        try environments(
            "SELECT id, version FROM environments WHERE parent = ? AND state <> 'deleted' ORDER BY name",
            .text(id.rawValue))
    }

    /// The environments of a query for ids and versions: from the cache where it has that version, else decoded.
    private func environments(_ sql: String, _ values: SQLValue...) throws(StoreError) -> [EnvironmentRecord] {
        let found = try connection.rows(sql, values) { (row) throws(StoreError) in
            (id: EnvironmentID(rawValue: row.text(0)), version: row.integer(1))
        }
        // One by one is how environments are worked on; what is listed is only looked at.
        let known = found.count == 1 ? nil : cache.snapshot
        var records: [EnvironmentRecord] = []
        records.reserveCapacity(found.count)
        var decoded: [EnvironmentID: RecordCache.Entry] = [:]
        for (id, version) in found {
            if let entry = known.map({ $0[id] }) ?? cache.entry(id), entry.version == version {
                records.append(entry.record)
            } else if let entry = saved[id], entry.version == version {
                records.append(entry.record)
            } else {
                let record = try decodeEnvironment(id)
                decoded[id] = RecordCache.Entry(version: version, record: record)
                records.append(record)
            }
        }
        cache.insert(decoded)
        return records
    }

    private func decodeEnvironment(_ id: EnvironmentID) throws(StoreError) -> EnvironmentRecord {
        let json = try connection.row("SELECT record FROM environments WHERE id = ?", .text(id.rawValue)) {
            (row) throws(StoreError) in row.blob(0)
        }
        return try decode(EnvironmentRecord.self, json ?? [], "environments", id.rawValue)
    }

    func save(_ environment: EnvironmentRecord) throws {
        let id = environment.id.rawValue
        let json = try encode(environment, "environments", id)
        let version = cache.nextVersion()
        let taken = StoreError(
            .nameTaken, "another environment has the name \(environment.name)",
            hint: "choose another name, or delete that environment")
        // Not REPLACE, which would remove the row and with it what refers to it.
        let changed = try connection.execute(
            """
            UPDATE environments
            SET name = ?, mode = ?, state = ?, parent = ?, version = ?, wanted = ?, record = ?, overlay = ?
            WHERE id = ?
            """,
            .text(environment.name), .text(environment.mode.rawValue), .text(environment.state.rawValue),
            .optional(environment.parent?.id.rawValue), .integer(version),
            .number(environment.wantedInstances), .text(json), .optional(environment.overlayID), .text(id),
            orTaken: taken)
        if changed == 0 {
            try connection.execute(
                """
                INSERT INTO environments(name, mode, state, parent, version, wanted, record, overlay, id)
                VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                .text(environment.name), .text(environment.mode.rawValue), .text(environment.state.rawValue),
                .optional(environment.parent?.id.rawValue), .integer(version),
                .number(environment.wantedInstances), .text(json), .optional(environment.overlayID), .text(id),
                orTaken: taken)
        }
        try saveClaims(of: environment)
        saved[environment.id] = RecordCache.Entry(version: version, record: environment)
        removed.remove(environment.id)
    }

    func removeEnvironment(_ id: EnvironmentID) throws {
        // Revisions, ports and secrets go with it.
        try connection.execute("DELETE FROM environments WHERE id = ?", .text(id.rawValue))
        try removeDeviations(of: id)
        saved[id] = nil
        removed.insert(id)
    }

    func revision(_ number: Int, of id: EnvironmentID) throws -> RevisionRecord? {
        let json = try connection.row(
            "SELECT record FROM revisions WHERE environment = ? AND number = ?", .text(id.rawValue), .number(number)
        ) { (row) throws(StoreError) in row.blob(0) }
        guard let json else { return nil }
        return try decode(RevisionRecord.self, json, "revisions", "\(id)#\(number)")
    }

    func revisions(of id: EnvironmentID) throws -> [RevisionRecord] {
        let rows = try connection.rows(
            """
            SELECT number, json_set(record, '$.source', '', '$.composed', '', '$.files', json('{}')) FROM revisions
            WHERE environment = ? ORDER BY number
            """, [.text(id.rawValue)]
        ) { (row) throws(StoreError) in (number: row.number(0), json: row.blob(1)) }
        return try rows.map { (row) throws(StoreError) in
            try decode(RevisionRecord.self, row.json, "revisions", "\(id)#\(row.number)")
        }
    }

    func save(_ revision: RevisionRecord) throws {
        try connection.execute(
            "INSERT OR REPLACE INTO revisions(environment, number, record) VALUES(?, ?, ?)",
            .text(revision.environment.rawValue), .number(revision.number),
            .text(try encode(revision, "revisions", "\(revision.environment)#\(revision.number)")))
        try saveUses(revision)
    }
}
