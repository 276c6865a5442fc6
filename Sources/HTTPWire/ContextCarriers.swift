/// What a request's head says about its routing context: carriers 1 to 3, the trace of carrier 4, and the cookie of
/// carrier 6.
///
/// 1. the header that `routing.headerName` names
/// 2. the member `msx-env` of W3C `baggage`, which may come as several headers
/// 3. the member `msx` of W3C `tracestate`
///
/// The earlier wins; `disagrees` says that a later one named another context. A value that is no DNS label, an empty
/// header, and a header that comes several times with different values are refused: nobody can say what was meant.
package struct ContextCarriers: Sendable, Equatable {
    package enum Violation: String, Error, Sendable {
        case emptyHeader, differingHeaders, notALabel, forgedHeader
    }

    /// The context by carriers 1 to 3.
    package private(set) var context: ByteRange?
    /// Which of carriers 1 to 3 said so: 0 for none.
    package private(set) var decidedBy: UInt8 = 0
    package private(set) var disagrees = false
    /// Carrier 4: whoever saw this trace before may know its context.
    package private(set) var traced: TraceCarrier?
    package var trace: TraceID? { traced?.id }
    /// Value of the cookie `msx-env`; counts at the edge only, after everything else.
    package private(set) var cookie: ByteRange?
    /// Whether there is a member of ours that must go when the context is not propagated.
    package private(set) var isInBaggage = false
    package private(set) var isInTracestate = false
    package private(set) var violation: Violation?

    /// - Parameter headerName: in lower case.
    package init(_ head: HeadFields, _ bytes: UnsafeRawBufferPointer, headerName: UnsafeRawBufferPointer) {
        readHeader(head, bytes, headerName)
        if violation == nil, head.has(.baggage) { readBaggage(head, bytes) }
        if violation == nil, head.has(.tracestate) { readTracestate(head, bytes) }
        traced = TraceCarrier(head, bytes)
        if violation == nil, head.has(.cookie) { readCookie(head, bytes) }
    }

    private mutating func readHeader(
        _ head: HeadFields, _ bytes: UnsafeRawBufferPointer, _ headerName: UnsafeRawBufferPointer
    ) {
        for field in head.fields where field.known == .other && field.name.count == headerName.count {
            guard equalsIgnoringCase(field.name.of(bytes), headerName) else {
                guard Self.isForged(field.name.of(bytes), headerName) else { continue }
                violation = .forgedHeader
                return
            }
            guard !field.value.isEmpty else {
                violation = .emptyHeader
                return
            }
            if let context, !equalsIgnoringCase(context.of(bytes), field.value.of(bytes)) {
                violation = .differingHeaders
                return
            }
            take(field.value, 1, bytes)
        }
    }

    /// Whether the names differ in `_` for `-` only. Whoever reads headers as variables (CGI, WSGI, PHP) takes both for one.
    private static func isForged(_ name: UnsafeRawBufferPointer, _ headerName: UnsafeRawBufferPointer) -> Bool {
        func plain(_ byte: UInt8) -> UInt8 { byte == 0x5F ? 0x2D : asciiLowercased(byte) }
        for index in 0..<name.count where plain(name[index]) != plain(headerName[index]) { return false }
        return true
    }

    private mutating func readBaggage(_ head: HeadFields, _ bytes: UnsafeRawBufferPointer) {
        for field in head.fields where field.known == .baggage {
            var members = ListMembers(field.value)
            while let member = members.next(in: bytes) {
                guard let value = Self.memberValue(member, named: "msx-env", in: bytes) else {
                    if Self.isMangled(member, of: "msx-env", in: bytes) { violation = .notALabel }
                    continue
                }
                isInBaggage = true
                take(value, 2, bytes)
            }
        }
    }

    private mutating func readTracestate(_ head: HeadFields, _ bytes: UnsafeRawBufferPointer) {
        for field in head.fields where field.known == .tracestate {
            var members = ListMembers(field.value)
            while let member = members.next(in: bytes) {
                guard let value = Self.memberValue(member, named: "msx", in: bytes) else {
                    if Self.isMangled(member, of: "msx", in: bytes) { violation = .notALabel }
                    continue
                }
                isInTracestate = true
                take(value, 3, bytes)
            }
        }
    }

    private mutating func readCookie(_ head: HeadFields, _ bytes: UnsafeRawBufferPointer) {
        for field in head.fields where field.known == .cookie {
            var pairs = ListMembers(field.value, separator: 0x3B)
            while let pair = pairs.next(in: bytes) {
                guard cookie == nil, let value = Self.memberValue(pair, named: "msx-env", in: bytes) else { continue }
                cookie = value
            }
        }
    }

    private mutating func take(_ value: ByteRange, _ carrier: UInt8, _ bytes: UnsafeRawBufferPointer) {
        guard isDNSLabel(value.of(bytes)) else {
            violation = .notALabel
            return
        }
        if let context {
            if !equalsIgnoringCase(context.of(bytes), value.of(bytes)) { disagrees = true }
        } else {
            context = value
            decidedBy = carrier
        }
    }

    /// Whether a member is ours but for its case or its missing `=`: somebody meant a context, and nobody can say which.
    private static func isMangled(_ member: ByteRange, of name: StaticString, in bytes: UnsafeRawBufferPointer) -> Bool
    {
        var index = Int(member.start)
        while index < Int(member.end), bytes[index] != 0x3D, bytes[index] != 0x3B { index += 1 }
        return equalsIgnoringCase(ByteRange(Int(member.start), index).trimmed(in: bytes).of(bytes), name)
    }

    /// The value of `name=value;properties`, trimmed; nil if the member has another name. Names compare with case, as
    /// the W3C's documents say.
    static func memberValue(
        _ member: ByteRange, named name: StaticString, in bytes: UnsafeRawBufferPointer
    ) -> ByteRange? {
        let start = Int(member.start)
        let end = Int(member.end)
        var index = start
        while index < end, bytes[index] != 0x3D { index += 1 }
        guard index < end, equals(ByteRange(start, index).trimmed(in: bytes).of(bytes), name) else { return nil }
        let valueStart = index + 1
        index = valueStart
        while index < end, bytes[index] != 0x3B { index += 1 }
        return ByteRange(valueStart, index).trimmed(in: bytes)
    }
}
