import Foundation
import SQLiteStore
import Storage
import SwiftToolchainCSQLite
import TestSupport
import Testing

/// A store in a folder of its own, closed and removed when `body` is through.
func withStore<T>(_ body: (SQLiteStore) async throws -> T) async throws -> T {
    try await withTemporaryFolder { folder in
        let store = try SQLiteStore(path: folder + "/state.db")
        defer { store.close() }
        return try await body(store)
    }
}

/// The error that opening `path` gives.
func refusal(_ path: String, _ at: SourceLocation = #_sourceLocation) throws -> StoreError {
    do {
        let store = try SQLiteStore(path: path)
        store.close()
    } catch {
        return error
    }
    Issue.record("\(path) was opened", sourceLocation: at)
    throw CocoaError(.featureUnsupported)
}

func contents(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

/// The permission bits of a file.
func mode(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return try #require(attributes[.posixPermissions] as? NSNumber).intValue
}

/// Runs a statement as another program would.
func change(_ path: String, _ sql: String) throws {
    var handle: OpaquePointer?
    defer { sqlite3_close_v2(handle) }
    try #require(sqlite3_open(path, &handle) == SQLITE_OK)
    try #require(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK)
}
