import Storage

/// Replies, audit entries and settings: what concerns no single environment.
extension Transaction {
    func idempotentReply(_ key: String) throws -> IdempotentReply? {
        try connection.row(
            "SELECT fingerprint, status, body, created_at FROM replies WHERE key = ?", .text(key)
        ) { (row) throws(StoreError) in
            IdempotentReply(
                key: key, fingerprint: row.text(0), status: row.number(1), body: row.text(2), createdAt: row.integer(3))
        }
    }

    func save(_ reply: IdempotentReply) throws {
        try connection.execute(
            "INSERT OR REPLACE INTO replies(key, fingerprint, status, body, created_at) VALUES(?, ?, ?, ?, ?)",
            .text(reply.key), .text(reply.fingerprint), .number(reply.status), .text(reply.body),
            .integer(reply.createdAt))
    }

    func removeIdempotentReplies(before time: Int64) throws {
        try connection.execute("DELETE FROM replies WHERE created_at < ?", .integer(time))
    }

    /// In the order in which they were appended, the last one first, whatever the clock said.
    func audit(limit: Int) throws -> [AuditEntry] {
        try connection.rows(
            "SELECT time, actor, action, subject, outcome FROM audit ORDER BY sequence DESC LIMIT ?",
            .number(max(0, limit))
        ) { (row) throws(StoreError) in
            AuditEntry(
                time: row.integer(0), actor: row.text(1), action: row.text(2), subject: row.text(3),
                outcome: row.text(4))
        }
    }

    func append(_ entry: AuditEntry) throws {
        try connection.execute(
            "INSERT INTO audit(time, actor, action, subject, outcome) VALUES(?, ?, ?, ?, ?)", .integer(entry.time),
            .text(entry.actor), .text(entry.action), .text(entry.subject), .text(entry.outcome))
    }

    func setting(_ key: String) throws -> String? {
        try connection.row("SELECT value FROM settings WHERE key = ?", .text(key)) { (row) throws(StoreError) in
            row.text(0)
        }
    }

    func set(_ key: String, to value: String?) throws {
        if let value {
            try connection.execute(
                "INSERT OR REPLACE INTO settings(key, value) VALUES(?, ?)", .text(key), .text(value))
        } else {
            try connection.execute("DELETE FROM settings WHERE key = ?", .text(key))
        }
    }
}
