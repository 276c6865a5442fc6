import HTTPWire

/// Makes blocks of batches and gives them to the segments.
///
/// `@unchecked Sendable`: used on the store's queue only.
final class SpanWriter: @unchecked Sendable {
    private let segments: SpanSegments
    private var places = PlaceBook()
    private let spans = WireBuffer(capacity: 128 << 10)
    private let block = WireBuffer(capacity: 160 << 10)

    init(_ segments: SpanSegments) { self.segments = segments }

    /// - Returns: whether the spans are in the files.
    func write(_ batch: SpanBatch) -> Bool {
        guard batch.count > 0 else { return true }
        places.clear()
        spans.clear()
        var earliest = Int64.max
        var (last, table) = (-1, batch.tables.first)
        for span in batch.spans {
            if Int(span.table) != last { (last, table) = (Int(span.table), batch.tables[Int(span.table)]) }
            guard let table else { continue }
            let start = Int64(span.start) + batch.wallOffset
            earliest = min(earliest, start)
            append(span, start: start, place: places.number(of: span, table))
        }
        block.clear()
        block.append(little: SpanBlock.mark)
        block.append(little: UInt32(SpanBlock.bodyHeadBytes + places.bytes.count + spans.count))
        // The checksum's place.
        block.append(little: UInt64(0))
        block.append(little: SpanClock.wall())
        block.append(little: earliest)
        block.append(little: UInt32(places.stringCount))
        block.append(little: UInt32(places.count))
        block.append(little: UInt32(batch.count))
        block.append(places.bytes)
        block.append(spans.bytes)
        let body = UnsafeRawBufferPointer(rebasing: block.bytes[SpanBlock.headBytes...])
        block.replace(at: 8, with: SpanBlock.checksum(body))
        return segments.append(block.bytes)
    }

    private func append(_ span: HopSpan, start: Int64, place: UInt16) {
        let route = Int(span.routeCount)
        spans.append(count: SpanBlock.spanBytes + route) { bytes in
            func put<Number: FixedWidthInteger & BitwiseCopyable>(_ value: Number, at offset: Int) {
                bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Number.self)
            }
            put(span.trace.high, at: 0)
            put(span.trace.low, at: 8)
            put(span.span, at: 16)
            put(span.parent, at: 24)
            put(start, at: 32)
            put(span.duration, at: 40)
            put(span.firstByte, at: 48)
            put(span.requestBytes, at: 56)
            put(span.responseBytes, at: 64)
            put(place, at: 72)
            put(span.status, at: 74)
            put(span.flags.rawValue, at: 76)
            put(span.carrier.rawValue, at: 78)
            put(span.attempts, at: 79)
            put(span.routeCount, at: 80)
            span.withRoute {
                UnsafeMutableRawBufferPointer(rebasing: bytes[SpanBlock.spanBytes...]).copyMemory(from: $0)
            }
        }
    }
}
