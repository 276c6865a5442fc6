import Storage
import SwiftToolchainCSQLite

/// One SQLite connection with its prepared statements. Used by one thread at a time; whoever has it sees to that.
final class Connection {
    enum Access {
        /// Changes nothing, sets nothing.
        case probe
        case reader, writer
    }

    enum Begin: String {
        /// Reads see the state at the first of them.
        case deferred = "BEGIN DEFERRED"
        case immediate = "BEGIN IMMEDIATE"
    }

    /// How long to wait for a program that is not a store, such as `sqlite3` or a backup, before saying `.locked`.
    static let busyMilliseconds: Int32 = 5_000
    /// The largest record, in bytes; also of SQLite's own rows.
    static let longestRecord: Int32 = 64 << 20

    let path: String
    private var handle: OpaquePointer?
    /// By their text. All texts are literals of this module, so there are few.
    private var statements: [String: Statement] = [:]
    /// Held as long as the database is open.
    private var lock: FileLock?
    /// What went wrong first in the running transaction; nothing more is done in it then.
    private var doom: StoreError?

    /// - Parameter lock: `nil` for reading beside the store that has it, never for writing.
    init(path: String, access: Access, lock: FileLock?) throws(StoreError) {
        self.path = path
        self.lock = lock
        let mode = access == .probe ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
        let code = sqlite3_open_v2(path, &handle, mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard code == SQLITE_OK else {
            let failure = failure(code)
            close()
            throw failure
        }
        sqlite3_busy_timeout(handle, Self.busyMilliseconds)
        _ = sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, Self.longestRecord)
        switch access {
        case .probe: break
        case .reader: try execute("PRAGMA query_only = ON")
        case .writer: try prepareToWrite()
        }
    }

    deinit { close() }

    private func prepareToWrite() throws(StoreError) {
        guard try text("PRAGMA journal_mode = WAL") == "wal" else {
            throw StoreError(
                .unwritable, "the store \(path) lies on a file system that cannot share memory between processes",
                hint: "put the state folder on a local disk")
        }
        try execute("PRAGMA synchronous = FULL")
        try execute("PRAGMA foreign_keys = ON")
        try execute("PRAGMA trusted_schema = OFF")
        try execute("PRAGMA cell_size_check = ON")
        // Bytes that the log keeps on disk once it was written back.
        try execute("PRAGMA journal_size_limit = 16777216")
    }

    /// Closing twice is closing once; afterwards every call throws.
    func close() {
        statements = [:]
        if let handle { sqlite3_close_v2(handle) }
        handle = nil
        lock = nil
    }

    // MARK: Statements

    /// - Returns: the number of rows that it changed.
    @discardableResult
    func execute(_ sql: String, _ values: SQLValue...) throws(StoreError) -> Int {
        let statement = try prepared(sql, values)
        defer { statement.reset() }
        while try statement.step() {}
        return Int(sqlite3_changes(handle))
    }

    /// Runs a statement whose UNIQUE constraint a caller may run into.
    ///
    /// - Throws: `taken` where it did; the transaction goes on without the statement.
    @discardableResult
    func execute(_ sql: String, _ values: SQLValue..., orTaken taken: StoreError) throws(StoreError) -> Int {
        let statement = try prepared(sql, values)
        defer { statement.reset() }
        switch statement.attempt() {
        case SQLITE_DONE: return Int(sqlite3_changes(handle))
        case ResultCode.unique, ResultCode.primaryKey, ResultCode.rowID: throw taken
        case let code: throw failure(code)
        }
    }

    /// `read` looks at the columns of every row; it must not run other statements.
    func rows<T>(
        _ sql: String, _ values: SQLValue..., read: (Statement) throws(StoreError) -> T
    ) throws(StoreError) -> [T] {
        try rows(sql, values, read: read)
    }

    func rows<T>(
        _ sql: String, _ values: [SQLValue], read: (Statement) throws(StoreError) -> T
    ) throws(StoreError) -> [T] {
        let statement = try prepared(sql, values)
        defer { statement.reset() }
        var result: [T] = []
        while try statement.step() { result.append(try read(statement)) }
        return result
    }

    /// The first row.
    func row<T>(
        _ sql: String, _ values: SQLValue..., read: (Statement) throws(StoreError) -> T
    ) throws(StoreError) -> T? {
        let statement = try prepared(sql, values)
        defer { statement.reset() }
        return try statement.step() ? try read(statement) : nil
    }

    func integer(_ sql: String) throws(StoreError) -> Int64 {
        try row(sql) { (row) throws(StoreError) in row.integer(0) } ?? 0
    }

    func text(_ sql: String) throws(StoreError) -> String {
        try row(sql) { (row) throws(StoreError) in row.text(0) } ?? ""
    }

    private func prepared(_ sql: String, _ values: [SQLValue]) throws(StoreError) -> Statement {
        guard let handle else { throw .closed(path) }
        if let doom { throw doom }
        let statement = try prepare(sql, handle)
        try statement.bind(values)
        return statement
    }

    private func prepare(_ sql: String, _ handle: OpaquePointer) throws(StoreError) -> Statement {
        if let known = statements[sql] { return known }
        var compiled: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &compiled, nil)
        guard code == SQLITE_OK, let compiled else { throw failure(code) }
        let statement = Statement(compiled, of: self)
        statements[sql] = statement
        return statement
    }

    // MARK: Transactions

    /// Runs `body` in a transaction: everything remains or, where anything throws, nothing. A failure that `body`
    /// catches counts as well, except a refused name or port.
    func transaction<T>(_ kind: Begin, _ body: () throws -> T) throws -> T {
        try begin(kind)
        do {
            let value = try body()
            try commit()
            return value
        } catch {
            rollBack()
            throw error
        }
    }

    /// ``transaction(_:_:)`` for the module's own changes.
    func change(_ body: () throws(StoreError) -> Void) throws(StoreError) {
        try begin(.immediate)
        do throws(StoreError) {
            try body()
            try commit()
        } catch {
            rollBack()
            throw error
        }
    }

    private func begin(_ kind: Begin) throws(StoreError) {
        doom = nil
        do throws(StoreError) {
            try execute(kind.rawValue)
        } catch {
            doom = nil
            throw error
        }
    }

    private func commit() throws(StoreError) {
        if let doom { throw doom }
        try execute("COMMIT")
    }

    private func rollBack() {
        doom = nil
        // SQLite has rolled back by itself after some failures. Should this one fail, the next BEGIN will.
        guard let handle, sqlite3_get_autocommit(handle) == 0 else { return }
        _ = sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
    }

    // MARK: Failures

    /// The error for a result code of this connection's last call; it dooms the running transaction.
    func failure(_ code: Int32) -> StoreError {
        let text = String(cString: sqlite3_errmsg(handle))
        let systemCode = handle.map { sqlite3_system_errno($0) } ?? 0
        let error = StoreError.fromSQLite(code, text, systemCode: systemCode, path: path)
        dooms(error)
        return error
    }

    /// Ends the running transaction's prospects: it will be rolled back with this error, whoever catches it.
    private func dooms(_ error: StoreError) {
        if doom == nil { doom = error }
    }
}
