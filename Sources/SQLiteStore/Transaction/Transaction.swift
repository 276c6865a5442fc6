import EnvironmentGraph
import Foundation
import Storage

/// One running transaction of a ``Lane``: what the closures of ``SQLiteStore`` see. Reading and writing alike; a
/// reader's connection refuses to write.
///
/// Its extensions hold the statements, one file per kind of record.
final class Transaction {
    let connection: Connection
    let cache: RecordCache
    /// Saved in this transaction; others see them when it is through.
    var saved: [EnvironmentID: RecordCache.Entry] = [:]
    var removed: Set<EnvironmentID> = []
    private let encoder = JSONEncoder()
    private let decoder = JSONDecoder()

    init(_ connection: Connection, _ cache: RecordCache) {
        self.connection = connection
        self.cache = cache
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    /// Lets the cache know, after the transaction is on disk.
    func publish() {
        cache.remove(removed)
        cache.insert(saved)
    }

    func encode(_ value: some Encodable, _ table: String, _ id: String) throws(StoreError) -> String {
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw StoreError(.ioError, "the record \(id) for the table \(table) cannot be written as JSON: \(error)")
        }
    }

    func decode<T: Decodable>(_ type: T.Type, _ json: [UInt8], _ table: String, _ id: String) throws(StoreError) -> T {
        do {
            return try decoder.decode(type, from: Data(json))
        } catch {
            throw .unreadable(table, id, error)
        }
    }
}

extension Transaction: StoreWriting {}
