import EnvironmentGraph
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
        for span in batch.spans {
            let start = Int64(span.start) + batch.wallOffset
            earliest = min(earliest, start)
            append(span, start: start, place: places.number(of: span, batch.tables[Int(span.table)]))
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
        spans.append(little: span.trace.high)
        spans.append(little: span.trace.low)
        spans.append(little: span.span)
        spans.append(little: span.parent)
        spans.append(little: start)
        spans.append(little: span.duration)
        spans.append(little: span.firstByte)
        spans.append(little: span.requestBytes)
        spans.append(little: span.responseBytes)
        spans.append(little: place)
        spans.append(little: span.status)
        spans.append(little: span.flags.rawValue)
        spans.append(byte: span.carrier.rawValue)
        spans.append(byte: span.attempts)
        spans.append(byte: span.routeCount)
        span.withRoute { spans.append($0) }
    }
}

/// A place in positions of a batch's tables.
struct PlaceKey: Hashable {
    var table: UInt8
    var listener: Int32
    var environment: Int32
    var service: Int32
    var context: Int32
    var fault: UInt8

    init(_ span: HopSpan) {
        (table, listener, environment) = (span.table, span.listener, span.environment)
        (service, context, fault) = (span.service, span.context, span.fault)
    }
}

extension SpanPlace {
    init(_ key: PlaceKey, _ table: CompiledTable) {
        let listener = key.listener >= 0 ? table.numberedListeners[Int(key.listener)] : nil
        let copy = key.service >= 0 ? table.services[Int(key.service)] : nil
        func named(_ position: Int) -> Environment? {
            guard position >= 0 else { return nil }
            return Environment(id: table.environments[position].id, name: table.environments[position].name)
        }
        self.init(
            caller: listener?.caller ?? "edge", service: listener?.service ?? copy?.name ?? "",
            environment: named(Int(key.environment)) ?? Environment(id: EnvironmentID(rawValue: ""), name: ""),
            context: named(Int(key.context)), provider: copy.flatMap { named($0.environment) },
            revision: copy.map { table.environments[$0.environment].revision } ?? 0,
            fault: key.fault > 0 ? GatewayFault(rawValue: key.fault - 1)?.code : nil)
    }
}

/// Numbers for the places of one block: a batch has a thousand spans and a handful of places.
private struct PlaceBook {
    private var numbers: [PlaceKey: UInt16] = [:]
    private var strings: [String: UInt16] = [:]
    private let stringBytes = WireBuffer(capacity: 4096)
    private let placeBytes = WireBuffer(capacity: 1024)
    private let all = WireBuffer(capacity: 4096)
    /// The places that were asked for lately, so that most spans cost a comparison.
    private var recent: [(key: PlaceKey, number: UInt16)?] = Array(repeating: nil, count: 64)

    var count: Int { numbers.count }
    var stringCount: Int { strings.count }

    /// Strings, then places.
    var bytes: UnsafeRawBufferPointer {
        all.clear()
        all.append(stringBytes.bytes)
        all.append(placeBytes.bytes)
        return all.bytes
    }

    mutating func clear() {
        numbers.removeAll(keepingCapacity: true)
        strings.removeAll(keepingCapacity: true)
        stringBytes.clear()
        placeBytes.clear()
        for index in recent.indices { recent[index] = nil }
        _ = number(of: "")
    }

    mutating func number(of span: HopSpan, _ table: CompiledTable) -> UInt16 {
        let key = PlaceKey(span)
        let slot = Int(truncatingIfNeeded: key.listener &* 31 &+ key.service &* 7 &+ key.context &* 13) & 63
        if let known = recent[slot], known.key == key { return known.number }
        let number = numbers[key] ?? add(key, table)
        recent[slot] = (key, number)
        return number
    }

    private mutating func add(_ key: PlaceKey, _ table: CompiledTable) -> UInt16 {
        let number = UInt16(truncatingIfNeeded: numbers.count)
        numbers[key] = number
        let place = SpanPlace(key, table)
        placeBytes.append(little: self.number(of: place.caller))
        placeBytes.append(little: self.number(of: place.service))
        for environment in [place.environment, place.context, place.provider] {
            placeBytes.append(little: self.number(of: environment?.id.rawValue ?? ""))
            placeBytes.append(little: self.number(of: environment?.name ?? ""))
        }
        placeBytes.append(little: self.number(of: place.fault ?? ""))
        placeBytes.append(little: UInt32(truncatingIfNeeded: place.revision))
        return number
    }

    private mutating func number(of text: String) -> UInt16 {
        if let known = strings[text] { return known }
        let number = UInt16(truncatingIfNeeded: strings.count)
        strings[text] = number
        let bytes = Array(text.utf8.prefix(1000))
        stringBytes.append(little: UInt16(bytes.count))
        stringBytes.append(bytes)
        return number
    }
}
