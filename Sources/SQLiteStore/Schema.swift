import Storage

/// The numbered steps from an empty file to today's tables. A step that was released never changes; a new one is
/// appended.
struct Schema: Sendable {
    /// What makes up a step, in order; SQLite's `user_version` is the number of steps that were taken.
    var migrations: [[String]]

    /// "MSTX", in SQLite's header of every store, so that a database of another program is not taken for one.
    static let applicationID: Int64 = 0x4D53_5458

    static let current = Schema(migrations: [first, history, outlines, layers, calls, conflicts])

    /// Takes the steps that are missing, each in a transaction of its own, after a copy of what there was is kept. There
    /// is no way back but that copy.
    func migrate(_ connection: Connection, keeping copy: SchemaCopy) throws(StoreError) {
        let done = try connection.integer("PRAGMA user_version")
        if done > 0, done < migrations.count { try copy.make(connection, version: Int(done)) }
        for (index, statements) in migrations.enumerated() where index >= done {
            try connection.change { () throws(StoreError) in
                for statement in statements { try connection.execute(statement) }
                try connection.execute("PRAGMA application_id = \(Self.applicationID)")
                try connection.execute("PRAGMA user_version = \(index + 1)")
            }
        }
    }

    /// References to `environments` and `executions` are checked when a transaction ends, so that records can be saved
    /// in any order.
    private static let first = [
        """
        CREATE TABLE environments(
            id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, mode TEXT NOT NULL, state TEXT NOT NULL, parent TEXT,
            version INTEGER NOT NULL, record TEXT NOT NULL
        ) STRICT
        """,
        "CREATE UNIQUE INDEX environments_name ON environments(name) WHERE state <> 'deleted'",
        "CREATE INDEX environments_list ON environments(name, id, version) WHERE state <> 'deleted'",
        "CREATE INDEX environments_parent ON environments(parent, name, id, version) WHERE state <> 'deleted'",
        """
        CREATE TABLE revisions(
            environment TEXT NOT NULL REFERENCES environments(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
            number INTEGER NOT NULL, record TEXT NOT NULL,
            PRIMARY KEY(environment, number)
        ) STRICT
        """,
        """
        CREATE TABLE executions(
            sequence INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, environment TEXT NOT NULL, kind TEXT NOT NULL,
            state TEXT NOT NULL, final INTEGER NOT NULL, created_at INTEGER NOT NULL, record TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX executions_environment ON executions(environment, created_at, sequence)",
        "CREATE INDEX executions_unfinished ON executions(created_at, sequence) WHERE final = 0",
        """
        CREATE TABLE steps(
            execution TEXT NOT NULL REFERENCES executions(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
            position INTEGER NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, record TEXT NOT NULL,
            PRIMARY KEY(execution, position), UNIQUE(execution, key)
        ) STRICT
        """,
        """
        CREATE TABLE ports(
            number INTEGER PRIMARY KEY NOT NULL,
            environment TEXT NOT NULL REFERENCES environments(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
            purpose TEXT NOT NULL,
            UNIQUE(environment, purpose)
        ) STRICT
        """,
        """
        CREATE TABLE secrets(
            environment TEXT NOT NULL REFERENCES environments(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
            service TEXT NOT NULL, name TEXT NOT NULL, sealed BLOB NOT NULL,
            PRIMARY KEY(environment, service, name)
        ) STRICT
        """,
        """
        CREATE TABLE replies(
            key TEXT PRIMARY KEY NOT NULL, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX replies_age ON replies(created_at)",
        """
        CREATE TABLE audit(
            sequence INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, actor TEXT NOT NULL,
            action TEXT NOT NULL, subject TEXT NOT NULL, outcome TEXT NOT NULL
        ) STRICT
        """,
        "CREATE TABLE settings(key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT",
    ]

    /// Who works on an execution; what happened; what differs.
    private static let history = [
        "ALTER TABLE executions ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0",
        """
        CREATE TABLE events(
            sequence INTEGER PRIMARY KEY AUTOINCREMENT, environment TEXT NOT NULL, record TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX events_environment ON events(environment, sequence)",
        """
        CREATE TABLE deviations(
            environment TEXT NOT NULL, service TEXT NOT NULL, kind TEXT NOT NULL, last_seen_at INTEGER NOT NULL,
            record TEXT NOT NULL,
            PRIMARY KEY(environment, service, kind)
        ) STRICT
        """,
    ]

    /// What watching over ten thousand environments needs, in an index of its own, beside rows of many pages.
    private static let outlines = [
        "ALTER TABLE environments ADD COLUMN wanted INTEGER NOT NULL DEFAULT -1",
        "CREATE INDEX environments_outline ON environments(id, state, wanted) WHERE state <> 'deleted'",
    ]

    /// Registered layers, which numbers they ever had, and who is composed of them.
    private static let layers = [
        """
        CREATE TABLE layers(
            name TEXT NOT NULL, number INTEGER NOT NULL, record TEXT NOT NULL,
            PRIMARY KEY(name, number)
        ) STRICT
        """,
        "CREATE TABLE layer_numbers(name TEXT PRIMARY KEY NOT NULL, last INTEGER NOT NULL) STRICT",
        """
        CREATE TABLE layer_uses(
            layer TEXT NOT NULL, environment TEXT NOT NULL, number INTEGER NOT NULL,
            PRIMARY KEY(layer, environment, number),
            FOREIGN KEY(environment, number) REFERENCES revisions(environment, number)
                ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
        ) STRICT
        """,
        "CREATE INDEX layer_uses_revision ON layer_uses(environment, number)",
    ]

    /// What the gateways have seen of calls; stays when an environment goes.
    private static let calls = [
        "CREATE TABLE calls(scope TEXT PRIMARY KEY NOT NULL, lineage TEXT NOT NULL, record TEXT NOT NULL) STRICT",
        "CREATE INDEX calls_lineage ON calls(lineage, scope)",
    ]

    /// What is asked about all the siblings of a new overlay.
    private static let conflicts = [
        "ALTER TABLE environments ADD COLUMN overlay TEXT",
        "UPDATE environments SET overlay = json_extract(record, '$.overlayID')",
        "CREATE INDEX environments_overlay ON environments(overlay, name, id, version) WHERE overlay IS NOT NULL",
        """
        CREATE TABLE claims(
            claim TEXT NOT NULL,
            environment TEXT NOT NULL REFERENCES environments(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
            service TEXT NOT NULL,
            PRIMARY KEY(claim, environment, service)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX claims_environment ON claims(environment)",
    ]
}
