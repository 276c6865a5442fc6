import EnvironmentGraph
import Glibc
import HTTPWire

/// A gateway's segment files, for reading. Needs no gateway that runs, and may be read while one writes: what it has not
/// finished writing is not seen.
package struct SpanFolder: Sendable {
    package let path: String

    /// - Parameter gatewayFolder: a gateway's state folder.
    package init(gatewayFolder: String) { path = gatewayFolder + "/spans" }

    /// The blocks from the newest to the oldest, until `body` says that it has enough. Blocks; not for Swift's pool.
    package func read(_ body: (SpanPage) throws -> Bool) rethrows {
        for number in SpanSegments.numbers(in: path).reversed() {
            let file = open(SpanSegments.path(number, in: path), O_RDONLY | O_CLOEXEC)
            // It has given way to newer ones meanwhile.
            guard file >= 0 else { continue }
            let content = Self.read(file)
            close(file)
            guard let content else { continue }
            for range in content.withUnsafeBytes({ SpanBlock.bodies(in: $0).bodies }).reversed() {
                guard let page = SpanPage(content, range) else { continue }
                guard try body(page) else { return }
            }
        }
    }

    static func read(_ file: Int32) -> [UInt8]? {
        let size = Int(lseek(file, 0, SEEK_END))
        guard size >= 0, size < 1 << 30 else { return nil }
        return [UInt8](unsafeUninitializedCapacity: size) { bytes, count in
            while count < size {
                let more = pread(file, bytes.baseAddress.map { $0 + count }, size - count, off_t(count))
                if more < 0, errno == EINTR { continue }
                guard more > 0 else { return }
                count += more
            }
        }
    }
}

/// A block as it was read; it keeps its segment's bytes.
package struct SpanPage {
    /// Nanoseconds since 1970: no span in it ends later.
    package let sealedAt: Int64
    package let earliestStart: Int64
    package let places: [SpanPlace]
    private let segment: [UInt8]
    private let body: Range<Int>
    private let spansStart: Int
    private let spanCount: Int

    /// `nil` where it contradicts itself.
    init?(_ segment: [UInt8], _ body: Range<Int>) {
        let read = segment.withUnsafeBytes { Self.head(UnsafeRawBufferPointer(rebasing: $0[body])) }
        guard let read else { return nil }
        (sealedAt, earliestStart, places, spansStart, spanCount) = read
        self.segment = segment
        self.body = body
    }

    private typealias Head = (sealedAt: Int64, earliest: Int64, places: [SpanPlace], spansStart: Int, spans: Int)

    private static func head(_ bytes: UnsafeRawBufferPointer) -> Head? {
        var reader = LittleReader(bytes)
        guard let sealedAt = reader.int64(), let earliest = reader.int64(), let strings = reader.uint32(),
            let places = reader.uint32(), let spans = reader.uint32()
        else { return nil }
        var texts: [String] = []
        for _ in 0..<strings {
            guard let count = reader.uint16(), let text = reader.text(Int(count)) else { return nil }
            texts.append(text)
        }
        var found: [SpanPlace] = []
        for _ in 0..<places {
            guard let place = place(&reader, texts) else { return nil }
            found.append(place)
        }
        return (sealedAt, earliest, found, reader.position, Int(spans))
    }

    private static func place(_ reader: inout LittleReader, _ texts: [String]) -> SpanPlace? {
        var words: [String] = []
        for _ in 0..<9 {
            guard let number = reader.uint16(), Int(number) < texts.count else { return nil }
            words.append(texts[Int(number)])
        }
        guard let revision = reader.uint32() else { return nil }
        func environment(_ index: Int) -> SpanPlace.Environment? {
            words[index].isEmpty
                ? nil : SpanPlace.Environment(id: EnvironmentID(rawValue: words[index]), name: words[index + 1])
        }
        return SpanPlace(
            caller: words[0], service: words[1],
            environment: environment(2) ?? SpanPlace.Environment(id: EnvironmentID(rawValue: ""), name: ""),
            context: environment(4), provider: environment(6), revision: Int(revision),
            fault: words[8].isEmpty ? nil : words[8])
    }

    /// Goes through the spans, which are made only where `wants` says so: by trace and by position in ``places``.
    package func forEach(where wants: (TraceKey, Int) -> Bool, _ action: (Span) -> Void) {
        segment.withUnsafeBytes { segment in
            forEach(UnsafeRawBufferPointer(rebasing: segment[body]), wants, action)
        }
    }

    private func forEach(
        _ bytes: UnsafeRawBufferPointer, _ wants: (TraceKey, Int) -> Bool, _ action: (Span) -> Void
    ) {
        var reader = LittleReader(bytes)
        reader.position = spansStart
        for _ in 0..<spanCount {
            guard reader.position + SpanBlock.spanBytes <= bytes.count else { return }
            let start = reader.position
            let place = Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 72, as: UInt16.self)))
            let next = start + SpanBlock.spanBytes + Int(bytes[start + SpanBlock.spanBytes - 1])
            guard next <= bytes.count, place < places.count else { return }
            let high = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
            let low = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 8, as: UInt64.self))
            if wants(TraceKey(high: high, low: low), place), let span = span(&reader, places[place]) { action(span) }
            reader.position = next
        }
    }

    private func span(_ reader: inout LittleReader, _ place: SpanPlace) -> Span? {
        var fields = HopSpan()
        guard let high = reader.uint64(), let low = reader.uint64(), let id = reader.uint64(),
            let parent = reader.uint64(), let start = reader.int64(), let duration = reader.uint64(),
            let firstByte = reader.uint64(), let bytesIn = reader.uint64(), let bytesOut = reader.uint64(),
            reader.uint16() != nil, let status = reader.uint16(), let flags = reader.uint16(),
            let carrier = reader.uint8(), let attempts = reader.uint8(), let count = reader.uint8(),
            let route = reader.text(Int(count))
        else { return nil }
        fields.trace = TraceID(high: high, low: low)
        (fields.span, fields.parent, fields.duration, fields.firstByte) = (id, parent, duration, firstByte)
        (fields.requestBytes, fields.responseBytes, fields.status) = (bytesIn, bytesOut, status)
        (fields.flags, fields.attempts) = (HopSpan.Flags(rawValue: flags), attempts)
        fields.carrier = Carrier(rawValue: carrier) ?? .none
        return Span(fields, place: place, startedAt: start, route: route)
    }
}

/// Little-endian numbers one after another; `nil` past the end.
private struct LittleReader {
    private let bytes: UnsafeRawBufferPointer
    var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private mutating func next<Number: FixedWidthInteger & BitwiseCopyable>(_: Number.Type) -> Number? {
        let size = MemoryLayout<Number>.size
        guard position + size <= bytes.count else { return nil }
        defer { position += size }
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Number.self))
    }

    mutating func uint8() -> UInt8? { next(UInt8.self) }
    mutating func uint16() -> UInt16? { next(UInt16.self) }
    mutating func uint32() -> UInt32? { next(UInt32.self) }
    mutating func uint64() -> UInt64? { next(UInt64.self) }
    mutating func int64() -> Int64? { next(Int64.self) }

    mutating func text(_ count: Int) -> String? {
        guard position + count <= bytes.count else { return nil }
        defer { position += count }
        return String(decoding: bytes[position..<(position + count)], as: UTF8.self)
    }
}
