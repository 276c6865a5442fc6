import CPlatform
import EnvironmentGraph
import Foundation
import Glibc

/// What a gateway leaves to the next one beside its sockets: in which contexts it has seen traces. Without it, a caller that
/// forwards nothing but a trace id would be answered by the baseline for a while, and nobody would notice.
struct HandoverMemory: Sendable {
    /// What an environment's stamp is in ``traces``.
    var stamps: [EnvironmentID: UInt32]
    /// See ``TraceMemory/remembered(now:)``.
    var traces: [UInt8]

    init(stamps: [EnvironmentID: UInt32], traces: [UInt8]) {
        self.stamps = stamps
        self.traces = traces
    }

    private static let lineFeed: UInt8 = 0x0A

    /// From a file in memory that another process wrote; it is closed. nil where it is not one.
    init?(descriptor: Int32) {
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        guard (try? file.seek(toOffset: 0)) != nil, let data = try? file.readToEnd(),
            let end = data.firstIndex(of: Self.lineFeed),
            let named = try? JSONDecoder().decode([String: UInt32].self, from: data[..<end])
        else { return nil }
        stamps = Dictionary(named.map { (EnvironmentID(rawValue: $0), $1) }) { first, _ in first }
        traces = Array(data[(end + 1)...])
    }

    /// A file in memory; whoever asks closes it. nil where there is no memory for it.
    func file() -> Int32? {
        let named = Dictionary(stamps.map { ($0.rawValue, $1) }) { first, _ in first }
        guard let head = try? JSONEncoder().encode(named) else { return nil }
        let bytes = Array(head) + [Self.lineFeed] + traces
        let descriptor = msx_memory_file(bytes, bytes.count)
        return descriptor >= 0 ? descriptor : nil
    }
}
