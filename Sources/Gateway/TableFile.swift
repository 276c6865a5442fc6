import EnvironmentGraph
import Foundation

/// The last good routing table on disk, so that a gateway that starts without its server routes as before.
struct TableFile: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

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

    /// Either the old or the new table is there after a crash, whole: written aside, synced, renamed, folder synced.
    func save(_ table: RoutingTable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let bytes = try encoder.encode(table)
        let temporary = "\(path).new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("open \(temporary)") }
        let written = bytes.withUnsafeBytes { Self.writeAll($0, to: file) }
        guard written, fsync(file) == 0 else {
            let problem = failure("write \(temporary)")
            close(file)
            throw problem
        }
        close(file)
        guard rename(temporary, path) == 0 else { throw failure("rename to \(path)") }
        let folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("open the folder of \(path)") }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure("sync the folder of \(path)") }
    }

    private static func writeAll(_ bytes: UnsafeRawBufferPointer, to file: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = write(file, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }

    private func failure(_ what: String) -> Failure {
        Failure(description: "\(what): \(String(cString: strerror(errno)))")
    }
}
