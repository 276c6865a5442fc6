/// The trace that a request belongs to: 16 bytes, never all zero.
///
/// Read from W3C `traceparent` (Trace Context, section 3.2), else from B3's single header, else from its `x-b3-traceid`
/// (64-bit ids count as 128-bit ones with zeros in front). What is malformed, or comes several times, says nothing.
package struct TraceID: Sendable, Hashable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The id of a trace that begins here.
    package init(madeFrom random: (UInt64, UInt64, UInt64)) { self.init(high: random.0, low: random.1 | 1) }

    /// `<trace id>-<span id>[-…]`; a lone sampling decision (`0`) has no trace id.
    fileprivate init?(b3 bytes: UnsafeRawBufferPointer) {
        guard let dash = bytes.firstIndex(of: 0x2D) else { return nil }
        self.init(hex: UnsafeRawBufferPointer(rebasing: bytes[..<dash]))
    }

    fileprivate init?(hex bytes: UnsafeRawBufferPointer) {
        switch bytes.count {
        case 16:
            guard let low = Self.number(bytes, 0, 16, allowsUpperCase: true), low != 0 else { return nil }
            self.init(high: 0, low: low)
        case 32:
            guard let high = Self.number(bytes, 0, 16, allowsUpperCase: true),
                let low = Self.number(bytes, 16, 32, allowsUpperCase: true), high | low != 0
            else { return nil }
            self.init(high: high, low: low)
        default: return nil
        }
    }

    fileprivate static func only(_ name: FieldName, _ head: HeadFields) -> ByteRange? {
        var found: ByteRange?
        for field in head.fields where field.known == name {
            guard found == nil else { return nil }
            found = field.value
        }
        return found
    }

    fileprivate static func number(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int, allowsUpperCase: Bool
    ) -> UInt64? {
        var number: UInt64 = 0
        for index in start..<end {
            let byte = bytes[index]
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x61...0x66: digit = byte - 0x61 + 10
            case 0x41...0x46 where allowsUpperCase: digit = byte - 0x41 + 10
            default: return nil
            }
            number = number << 4 | UInt64(digit)
        }
        return number
    }
}

/// What a request says about its trace.
package struct TraceCarrier: Sendable, Equatable {
    package var id: TraceID
    /// The span that it comes from; 0 where nobody says.
    package private(set) var parent: UInt64 = 0
    /// False where the trace's head decided against recording it.
    package private(set) var isSampled = true
    /// Where `parent` stands in the only `traceparent`, of a version that may be changed: sixteen digits.
    package private(set) var parentDigits: ByteRange?

    private init(_ id: TraceID) { self.id = id }

    package init?(_ head: HeadFields, _ bytes: UnsafeRawBufferPointer) {
        if head.has(.traceparent) {
            guard let value = TraceID.only(.traceparent, head) else { return nil }
            self.init(traceparent: value, bytes)
        } else if head.has(.b3) {
            guard let value = TraceID.only(.b3, head), let id = TraceID(b3: value.of(bytes)) else { return nil }
            self.init(id)
        } else if head.has(.b3TraceID) {
            guard let value = TraceID.only(.b3TraceID, head), let id = TraceID(hex: value.of(bytes)) else { return nil }
            self.init(id)
        } else {
            return nil
        }
    }

    /// `00-<32 hex>-<16 hex>-<2 hex>`, in lower case; later versions may have more behind.
    private init?(traceparent value: ByteRange, _ all: UnsafeRawBufferPointer) {
        let bytes = value.of(all)
        guard bytes.count >= 55, bytes[2] == 0x2D, bytes[35] == 0x2D, bytes[52] == 0x2D,
            let version = TraceID.number(bytes, 0, 2, allowsUpperCase: false), version != 0xFF,
            version == 0 ? bytes.count == 55 : bytes.count == 55 || bytes[55] == 0x2D,
            let high = TraceID.number(bytes, 3, 19, allowsUpperCase: false),
            let low = TraceID.number(bytes, 19, 35, allowsUpperCase: false),
            let parent = TraceID.number(bytes, 36, 52, allowsUpperCase: false), parent != 0,
            let flags = TraceID.number(bytes, 53, 55, allowsUpperCase: false), high | low != 0
        else { return nil }
        self.init(TraceID(high: high, low: low))
        self.parent = parent
        isSampled = flags & 1 == 1
        if version == 0 { parentDigits = ByteRange(Int(value.start) + 36, Int(value.start) + 52) }
    }
}
