import SwiftToolchainCSQLite

/// Extended result codes (sqlite.org/rescode.html), which are expressions in C that Swift does not see.
enum ResultCode {
    /// SQLITE_CONSTRAINT_FOREIGNKEY
    static let foreignKey = SQLITE_CONSTRAINT | 3 << 8
    /// SQLITE_CONSTRAINT_UNIQUE
    static let unique = SQLITE_CONSTRAINT | 8 << 8
    /// SQLITE_CONSTRAINT_ROWID
    static let rowID = SQLITE_CONSTRAINT | 10 << 8
    /// SQLITE_CONSTRAINT_PRIMARYKEY
    static let primaryKey = SQLITE_CONSTRAINT | 6 << 8
    /// SQLITE_IOERR_READ
    static let readFailed = SQLITE_IOERR | 1 << 8
    /// SQLITE_IOERR_SHORT_READ
    static let shortRead = SQLITE_IOERR | 2 << 8
}
