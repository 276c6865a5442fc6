import EnvironmentGraph
import Files
import Foundation

/// The last good routing table on disk, so that a gateway that starts without its server routes as before.
struct TableFile: Sendable {
    let path: String

    enum Loaded: Sendable {
        case none
        case table(RoutingTable)
        /// It could not be read; it was renamed, never deleted.
        case setAside(path: String, reason: String)
    }

    func load() throws -> Loaded {
        guard FileManager.default.fileExists(atPath: path) else { return .none }
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        do {
            return .table(try JSONDecoder().decode(RoutingTable.self, from: bytes))
        } catch {
            var number = 1
            while FileManager.default.fileExists(atPath: "\(path).unreadable-\(number)") { number += 1 }
            let kept = "\(path).unreadable-\(number)"
            try FileManager.default.moveItem(atPath: path, toPath: kept)
            return .setAside(path: kept, reason: "\(error)")
        }
    }

    /// As it is, whoever wrote it; nil where it cannot be read.
    func look() -> RoutingTable? {
        guard let bytes = FileManager.default.contents(atPath: path) else { return nil }
        // Whoever wrote it looks after it.
        return try? JSONDecoder().decode(RoutingTable.self, from: bytes)
    }

    /// Either the old or the new table is there after a crash, whole.
    func save(_ table: RoutingTable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try AtomicFile.write(try encoder.encode(table), to: path)
    }
}
