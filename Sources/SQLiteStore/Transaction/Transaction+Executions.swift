import EnvironmentGraph
import Storage

/// An execution's record is stored without its steps; each of these is a row, so that a checkpoint writes one row.
extension Transaction {
    func execution(_ id: ExecutionID) throws -> ExecutionRecord? {
        try executions("SELECT id, record FROM executions WHERE id = ?", .text(id.rawValue)).first
    }

    func step(_ key: String, of execution: ExecutionID) throws -> StepRecord? {
        let json = try connection.row(
            "SELECT record FROM steps WHERE execution = ? AND key = ?", .text(execution.rawValue), .text(key)
        ) { (row) throws(StoreError) in row.blob(0) }
        return try json.map { try decode(StepRecord.self, $0, "steps", "\(execution) \(key)") }
    }

    func executions(of id: EnvironmentID) throws -> [ExecutionRecord] {
        try executions(
            "SELECT id, record FROM executions WHERE environment = ? ORDER BY created_at, sequence",
            .text(id.rawValue))
    }

    func lastExecution(of id: EnvironmentID) throws -> ExecutionRecord? {
        try executions(
            """
            SELECT id, record FROM executions WHERE environment = ? ORDER BY created_at DESC, sequence DESC LIMIT 1
            """, .text(id.rawValue)
        ).first
    }

    func lastExecutionWithoutSteps(of id: EnvironmentID) throws -> ExecutionRecord? {
        let found = try connection.row(
            """
            SELECT id, record FROM executions WHERE environment = ? ORDER BY created_at DESC, sequence DESC LIMIT 1
            """, .text(id.rawValue)
        ) { (row) throws(StoreError) in (id: row.text(0), json: row.blob(1)) }
        return try found.map { try decode(ExecutionRecord.self, $0.json, "executions", $0.id) }
    }

    func lastExecutionID(of id: EnvironmentID) throws -> ExecutionID? {
        try connection.row(
            "SELECT id FROM executions WHERE environment = ? ORDER BY created_at DESC, sequence DESC LIMIT 1",
            .text(id.rawValue)
        ) { (row) throws(StoreError) in ExecutionID(rawValue: row.text(0)) }
    }

    func unfinishedExecutions() throws -> [ExecutionRecord] {
        try executions("SELECT id, record FROM executions WHERE final = 0 ORDER BY created_at, sequence")
    }

    func epoch(of id: ExecutionID) throws -> Int? {
        try connection.row("SELECT epoch FROM executions WHERE id = ?", .text(id.rawValue)) {
            (row) throws(StoreError) in row.number(0)
        }
    }

    /// - Throws: ``StoreError`` `.ioError` where there is no such execution.
    func claim(_ execution: ExecutionID) throws -> Int {
        try connection.execute("UPDATE executions SET epoch = epoch + 1 WHERE id = ?", .text(execution.rawValue))
        guard let epoch = try epoch(of: execution) else {
            throw StoreError(.ioError, "there is no execution \(execution) to claim")
        }
        return epoch
    }

    func removeExecutions(of id: EnvironmentID, keepingLast count: Int) throws {
        try connection.execute(
            """
            DELETE FROM executions WHERE final = 1 AND environment = ?1 AND sequence IN (
                SELECT sequence FROM executions WHERE environment = ?1
                ORDER BY created_at DESC, sequence DESC LIMIT -1 OFFSET ?2)
            """, .text(id.rawValue), .number(count))
    }

    private func executions(_ sql: String, _ values: SQLValue...) throws(StoreError) -> [ExecutionRecord] {
        let found = try connection.rows(sql, values) { (row) throws(StoreError) in (id: row.text(0), json: row.blob(1))
        }
        var records: [ExecutionRecord] = []
        for (id, json) in found {
            var record = try decode(ExecutionRecord.self, json, "executions", id)
            record.steps = try steps(of: id)
            records.append(record)
        }
        return records
    }

    private func steps(of execution: String) throws(StoreError) -> [StepRecord] {
        let found = try connection.rows(
            "SELECT key, record FROM steps WHERE execution = ? ORDER BY position", .text(execution)
        ) { (row) throws(StoreError) in (key: row.text(0), json: row.blob(1)) }
        var steps: [StepRecord] = []
        for (key, json) in found { steps.append(try decode(StepRecord.self, json, "steps", "\(execution) \(key)")) }
        return steps
    }

    func save(_ execution: ExecutionRecord) throws {
        let id = execution.id.rawValue
        var bare = execution
        bare.steps = []
        let json = try encode(bare, "executions", id)
        var steps: [(step: StepRecord, json: String)] = []
        for step in execution.steps { steps.append((step, try encode(step, "steps", "\(id) \(step.plan.key)"))) }

        try connection.execute(
            """
            INSERT INTO executions(id, environment, kind, state, final, created_at, record) VALUES(?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT(id) DO UPDATE SET environment = excluded.environment, kind = excluded.kind,
            state = excluded.state, final = excluded.final, created_at = excluded.created_at, record = excluded.record
            """,
            .text(id), .text(execution.environment.rawValue), .text(execution.kind.rawValue),
            .text(execution.state.rawValue), execution.state.isFinal ? 1 : 0, .integer(execution.createdAt),
            .text(json))
        try connection.execute("DELETE FROM steps WHERE execution = ?", .text(id))
        for (position, (step, json)) in steps.enumerated() {
            try connection.execute(
                "INSERT INTO steps(execution, position, key, state, record) VALUES(?, ?, ?, ?, ?)",
                .text(id), .number(position), .text(step.plan.key), .text(step.state.rawValue), .text(json))
        }
    }

    /// - Throws: ``StoreError`` `.ioError` where the execution has no such step: a checkpoint is never lost in silence.
    func save(_ step: StepRecord, of execution: ExecutionID) throws {
        let changed = try connection.execute(
            "UPDATE steps SET state = ?, record = ? WHERE execution = ? AND key = ?",
            .text(step.state.rawValue), .text(try encode(step, "steps", "\(execution) \(step.plan.key)")),
            .text(execution.rawValue), .text(step.plan.key))
        guard changed > 0 else {
            throw StoreError(.ioError, "the execution \(execution) has no step \(step.plan.key) to replace")
        }
    }
}
