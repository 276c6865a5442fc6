import Foundation
import Glibc

/// One line of `exits.jsonl`: a main process that ended. Written before anything else is done about it, so that an exit
/// code is known even if the supervisor ends at once. The file is cut to its newer half when it passes 1 MiB.
struct ExitRecord: Sendable, Codable, Hashable {
    static let limit = 1 << 20

    var service: String
    var generation: Int
    var pid: Int32
    /// 128 + signal for a signal.
    var exitCode: Int32
    /// Milliseconds since 1970.
    var time: Int64

    func append(to path: String) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Numbers and a name always encode.
        guard let line = try? encoder.encode(self) else { return }
        SmallFile.append(String(decoding: line, as: UTF8.self), to: path)
        var status = stat()
        guard stat(path, &status) == 0, status.st_size > Self.limit, let bytes = SmallFile.read(path) else { return }
        let half = bytes.dropFirst(bytes.count / 2)
        let whole = half[(half.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? half.endIndex)...]
        // The records stay in the longer file then.
        try? SmallFile.write(Array(whole), to: path, durably: false)
    }

    /// Oldest first; lines that cannot be read are left out.
    static func load(_ path: String) -> [ExitRecord] {
        (SmallFile.read(path) ?? []).split(separator: UInt8(ascii: "\n")).compactMap { line in
            // A torn line after a power cut.
            try? JSONDecoder().decode(ExitRecord.self, from: Data(line))
        }
    }
}
