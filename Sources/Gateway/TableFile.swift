import EnvironmentGraph
import Files
import Foundation

/// The last good routing table on disk, so that a gateway that starts without its server routes as before: a whole one,
/// and beside it what has changed since, a line for each change.
///
/// A change that is cut off or is of another table ends the reading there: what was before it is a good table, too.
struct TableFile: Sendable {
    /// So large may the changes grow before a whole table is written again, in bytes; and no larger than the table.
    private static let changesKept = 1 << 20

    let path: String
    private var changesPath: String { path + ".changes" }

    init(path: String) { self.path = path }

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
            return .table(withChanges(try JSONDecoder().decode(RoutingTable.self, from: bytes)))
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
        return (try? JSONDecoder().decode(RoutingTable.self, from: bytes)).map(withChanges)
    }

    private func withChanges(_ whole: RoutingTable) -> RoutingTable {
        var table = whole
        for line in (FileManager.default.contents(atPath: changesPath) ?? Data()).split(separator: 0x0A) {
            // What does not read, or does not fit, was never in use after what is here.
            guard let delta = try? JSONDecoder().decode(RoutingDelta.self, from: Data(line)),
                let next = table.applying(delta)
            else { break }
            table = next
        }
        return table
    }

    /// Either the old or the new table is there after a crash, whole. Changes of an older one fit it no more.
    ///
    /// - Parameter bytes: the table as it came, in JSON.
    func save(_ bytes: [UInt8]) throws {
        try AtomicFile.write(bytes, to: path)
        // Where it stays, its changes are of another version.
        try? FileManager.default.removeItem(atPath: changesPath)
    }

    /// Adds a change, which survives the end of this process; a power cut may take it.
    ///
    /// - Parameters:
    ///   - bytes: the ``RoutingDelta`` as it came, in JSON without a line break.
    ///   - table: what it makes of the one that is stored.
    func append(_ bytes: [UInt8], of table: RoutingTable) throws {
        let size = try AppendedFile.append(bytes + [0x0A], to: changesPath)
        guard size > Self.changesKept,
            size > (try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0)
        else { return }
        try save(Array(try JSONEncoder().encode(table)))
    }
}
