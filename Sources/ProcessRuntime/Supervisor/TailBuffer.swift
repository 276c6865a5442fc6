import Synchronization

/// The last bytes of an output.
final class TailBuffer: Sendable {
    private let limit: Int
    private let bytes = Mutex<[UInt8]>([])

    init(limit: Int) { self.limit = limit }

    func append(_ more: UnsafeRawBufferPointer) {
        bytes.withLock { bytes in
            bytes.append(contentsOf: more)
            if bytes.count > 2 * limit { bytes.removeFirst(bytes.count - limit) }
        }
    }

    var text: String { String(decoding: bytes.withLock { $0.suffix(limit) }, as: UTF8.self) }
}
