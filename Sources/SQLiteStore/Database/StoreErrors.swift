import Foundation
import Storage
import SwiftToolchainCSQLite

/// What SQLite and the system report, in the store's own words. Chosen by code, never by text.
extension StoreError {
    static func locked(_ path: String) -> StoreError {
        StoreError(
            .locked, "another process has the store \(path)",
            hint: "stop the other microstax server, or give this one a state folder of its own")
    }

    static func closed(_ path: String) -> StoreError { StoreError(.ioError, "the store \(path) is closed") }

    static let overrun = StoreError(
        .ioError, "\(SQLiteStore.waitingLimit) transactions wait for the store already", hint: "try again later")

    static func damaged(_ path: String, _ finding: String) -> StoreError {
        StoreError(
            .corrupt, "the store \(path) is damaged: \(finding); it was left as it is",
            hint: "put a backup in its place, or move it away to start with an empty store")
    }

    /// A record that is stored but cannot be understood.
    static func unreadable(_ table: String, _ id: String, _ reason: any Error) -> StoreError {
        StoreError(
            .corrupt, "the record \(id) in the table \(table) cannot be read: \(reason); it was left as it is",
            hint: "start the microstax that wrote it, or restore a backup")
    }

    static func fromSystem(_ code: Int32, _ what: String, path: String) -> StoreError {
        let message = "\(what): \(String(cString: strerror(code)))"
        switch code {
        case ENOSPC, EDQUOT, EFBIG:
            return StoreError(.unwritable, message, hint: "make room on the disk of \(path)")
        case EACCES, EPERM, EROFS:
            return StoreError(.unwritable, message, hint: "make the folder of \(path) writable for this user")
        case ENOENT, ENOTDIR, EISDIR, ELOOP:
            return StoreError(.unwritable, message, hint: "create the folder of \(path)")
        default:
            return StoreError(.ioError, message)
        }
    }

    /// - Parameters:
    ///   - code: an extended result code.
    ///   - systemCode: `errno` of the failed call, 0 for none.
    static func fromSQLite(_ code: Int32, _ text: String, systemCode: Int32, path: String) -> StoreError {
        let system = systemCode == 0 ? "" : " (\(String(cString: strerror(systemCode))))"
        let message = "\(text)\(system)"
        switch code & 0xFF {
        case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL:
            return .locked(path)
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT:
            return .damaged(path, message)
        case SQLITE_FULL:
            return StoreError(
                .unwritable, "cannot write the store \(path): \(message)", hint: "make room on the disk of \(path)")
        case SQLITE_IOERR where isReading(code):
            return StoreError(.ioError, "cannot read the store \(path): \(message)")
        case SQLITE_IOERR, SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH:
            return StoreError(
                .unwritable, "cannot write the store \(path): \(message)",
                hint: "make the folder of \(path) writable for this user, with room on its disk")
        case SQLITE_CONSTRAINT where code == ResultCode.foreignKey:
            return StoreError(.ioError, "a record in the store \(path) would refer to one that does not exist")
        case SQLITE_TOOBIG:
            return StoreError(
                .ioError, "a record is larger than the \(Connection.longestRecord >> 20) MiB that the store keeps")
        default:
            return StoreError(.ioError, "the store \(path) failed: \(message)")
        }
    }

    private static func isReading(_ code: Int32) -> Bool {
        [ResultCode.readFailed, ResultCode.shortRead].contains(code)
    }

    /// Whether a transaction may go on after it: the statement had no effect, the rest stands.
    var leavesTransactionWhole: Bool { code == .nameTaken || code == .portTaken }
}
