import Storage
import SwiftToolchainCSQLite

/// A prepared statement of one ``Connection``, which outlives it. Columns are valid between a ``step()`` that
/// returned true and the next call; tables are STRICT, so that a column has the type that the schema gives it.
final class Statement {
    private let handle: OpaquePointer
    private unowned let connection: Connection

    init(_ handle: OpaquePointer, of connection: Connection) {
        self.handle = handle
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    func bind(_ values: [SQLValue]) throws(StoreError) {
        precondition(values.count == sqlite3_bind_parameter_count(handle), "a value for every ?")
        for (index, value) in values.enumerated() {
            let code = bind(value, at: Int32(index + 1))
            guard code == SQLITE_OK else { throw connection.failure(code) }
        }
    }

    private func bind(_ value: SQLValue, at position: Int32) -> Int32 {
        // SQLITE_TRANSIENT, a cast in C: SQLite copies the bytes before the call returns.
        let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        switch value {
        case .null:
            return sqlite3_bind_null(handle, position)
        case .integer(let number):
            return sqlite3_bind_int64(handle, position, number)
        case .text(var text):
            return text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { chars in
                    sqlite3_bind_text64(
                        handle, position, chars.baseAddress ?? Self.nothing, UInt64(chars.count), copied,
                        UInt8(SQLITE_UTF8))
                }
            }
        case .blob(let bytes):
            guard !bytes.isEmpty else { return sqlite3_bind_zeroblob(handle, position, 0) }
            return sqlite3_bind_blob64(handle, position, bytes, UInt64(bytes.count), copied)
        }
    }

    // Unsafe pointer: never written to, lives for ever; SQLite takes a null pointer for NULL, and an empty text has no
    // address.
    nonisolated(unsafe) private static let nothing = UnsafePointer(UnsafeMutablePointer<CChar>.allocate(capacity: 1))

    /// - Returns: whether there is a row.
    func step() throws(StoreError) -> Bool {
        let code = sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw connection.failure(code)
        }
    }

    /// ``step()`` for a caller who knows what to make of a result code.
    func attempt() -> Int32 { sqlite3_step(handle) }

    func reset() {
        // Repeats the error of the last step, which was reported then.
        _ = sqlite3_reset(handle)
        _ = sqlite3_clear_bindings(handle)
    }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    func number(_ column: Int32) -> Int { Int(integer(column)) }

    func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }

    func blob(_ column: Int32) -> [UInt8] { Array(bytes(column)) }

    private func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
        // In this order, as SQLite wants it: the first call may convert, the second measures what the first gave.
        let start = sqlite3_column_blob(handle, column)
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
    }
}
