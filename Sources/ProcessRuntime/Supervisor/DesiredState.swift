import Foundation
import Runtimes

/// What an environment's supervisor should run, as it stands on disk. Values of secrets are never part of it.
struct DesiredState: Sendable, Codable {
    struct Entry: Sendable, Codable {
        /// Its `secretEnv` is empty.
        var workload: Workload
        var hasSecrets: Bool
        /// How it ended, where it stays ended.
        var ended: WorkloadStatus?
        var stopRequested: Bool
        /// The volumes with data that were made for this generation or were there: none of them is made again for it.
        var volumesMade: Set<String>?
    }

    var version = 1
    var entries: [Entry] = []

    /// Whether a supervisor has anything to do.
    var needsSupervisor: Bool { entries.contains { $0.ended == nil } }

    /// `nil` where there is no file. What cannot be read is never taken for empty.
    static func load(_ path: String) throws -> DesiredState? {
        guard let bytes = SmallFile.read(path) else {
            guard errno == ENOENT || errno == ENOTDIR else { throw SmallFile.failure("read", path) }
            return nil
        }
        do {
            var state = try JSONDecoder().decode(DesiredState.self, from: Data(bytes))
            guard state.version == 1 else { throw RuntimeError(.ioError, "version \(state.version) is not known") }
            for (index, entry) in state.entries.enumerated() where entry.ended?.generation != entry.workload.generation
            {
                // How an earlier generation ended says nothing of this one.
                state.entries[index].ended = nil
            }
            return state
        } catch {
            throw RuntimeError(.ioError, "cannot read \(path): \(error)")
        }
    }

    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(self))
    }
}
