import CNghttp2
import HTTPWire

/// A list of fields with its text, as the library takes it. Used again and again.
struct HeaderList {
    private struct Entry {
        var name: Range<Int>
        var value: Range<Int>
    }

    private let text = WireBuffer(capacity: 512)
    private var entries: [Entry] = []

    var isEmpty: Bool { entries.isEmpty }

    mutating func clear() {
        text.clear()
        entries.removeAll(keepingCapacity: true)
    }

    /// Names go out in lower case (RFC 9113 section 8.2.1); the library sees to it.
    mutating func add(_ field: Field, _ bytes: UnsafeRawBufferPointer) {
        add(field.name.of(bytes), field.value.of(bytes))
    }

    mutating func add(_ name: StaticString, _ value: UnsafeRawBufferPointer) {
        add(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount), value)
    }

    mutating func add(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        let start = text.count
        text.append(name)
        let middle = text.count
        text.append(value)
        entries.append(Entry(name: start..<middle, value: middle..<text.count))
    }

    /// - Parameter space: its memory is used.
    func withPairs<T>(
        _ space: inout [nghttp2_nv], _ body: (UnsafePointer<nghttp2_nv>?, Int) -> T
    ) -> T {
        space.removeAll(keepingCapacity: true)
        // The library reads through these pointers only, and copies before it returns.
        let base = UnsafeMutablePointer(mutating: text.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        guard let base else { return body(nil, 0) }
        for entry in entries {
            space.append(
                nghttp2_nv(
                    name: base + entry.name.lowerBound, value: base + entry.value.lowerBound,
                    namelen: entry.name.count, valuelen: entry.value.count,
                    flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
        }
        return space.withUnsafeBufferPointer { body($0.baseAddress, $0.count) }
    }

    // MARK: Heads

    /// An answer's head, as the exchange has written it.
    ///
    /// - Parameter dropsEmptyLength: nothing follows, which says the same as a length of 0; an answer of gRPC that is all
    ///   trailers never had one.
    mutating func write(
        _ response: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer, dropsEmptyLength: Bool
    ) {
        clear()
        add(":status", UnsafeRawBufferPointer(rebasing: response.statusText.of(bytes).prefix(3)))
        for field in response.head.fields {
            if field.known == .contentLength, dropsEmptyLength, equals(field.value.of(bytes), "0") { continue }
            if !field.known.isHopByHop { add(field, bytes) }
        }
    }

    /// A request's head, as the exchange has written it. We pass trailers on, and say so (RFC 9110 section 10.1.4).
    mutating func write(_ request: borrowing RequestHeadParser, _ bytes: UnsafeRawBufferPointer) {
        clear()
        add(":method", request.method.of(bytes))
        add(":scheme", UnsafeRawBufferPointer(start: Self.scheme.utf8Start, count: Self.scheme.utf8CodeUnitCount))
        add(":authority", request.host.of(bytes))
        add(":path", request.target.of(bytes))
        for field in request.head.fields where field.known != .host && !field.known.isHopByHop { add(field, bytes) }
        add("te", UnsafeRawBufferPointer(start: Self.trailers.utf8Start, count: Self.trailers.utf8CodeUnitCount))
    }

    private static let scheme: StaticString = "http"
    private static let trailers: StaticString = "trailers"
}
