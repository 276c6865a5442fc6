/// The header names that the gateway acts on; every other one is `other` and is only copied.
package enum FieldName: UInt8, Sendable {
    case other
    case host, contentLength, transferEncoding
    case connection, keepAlive, proxyConnection, te, upgrade
    case expect, cookie, trailer
    case baggage, tracestate, traceparent, b3, b3TraceID
    case forwardedFor, forwardedProto, forwardedHost
    case msxError, msxProvider, msxWarning

    /// Fields that concern one connection only (RFC 9110 section 7.6.1), whatever `Connection` says.
    var isHopByHop: Bool {
        switch self {
        case .connection, .keepAlive, .proxyConnection, .te, .upgrade, .transferEncoding: true
        default: false
        }
    }

    /// Fields that say where a message ends or where it goes: never in trailers (RFC 9110 section 6.5.1).
    var isForbiddenInTrailers: Bool {
        switch self {
        case .other, .trailer, .cookie: false
        default: true
        }
    }

    static func recognise(_ name: UnsafeRawBufferPointer) -> FieldName {
        func pick(_ text: StaticString, _ field: FieldName) -> FieldName? {
            equalsIgnoringCase(name, text) ? field : nil
        }
        switch name.count {
        case 2: return pick("te", .te) ?? pick("b3", .b3) ?? .other
        case 4: return pick("host", .host) ?? .other
        case 6: return pick("cookie", .cookie) ?? pick("expect", .expect) ?? .other
        case 7: return pick("baggage", .baggage) ?? pick("upgrade", .upgrade) ?? pick("trailer", .trailer) ?? .other
        case 10:
            return pick("connection", .connection) ?? pick("tracestate", .tracestate)
                ?? pick("keep-alive", .keepAlive) ?? .other
        case 11: return pick("traceparent", .traceparent) ?? pick("x-msx-error", .msxError) ?? .other
        case 12: return pick("x-b3-traceid", .b3TraceID) ?? .other
        case 13: return pick("x-msx-warning", .msxWarning) ?? .other
        case 14: return pick("content-length", .contentLength) ?? pick("x-msx-provider", .msxProvider) ?? .other
        case 15: return pick("x-forwarded-for", .forwardedFor) ?? .other
        case 16: return pick("x-forwarded-host", .forwardedHost) ?? pick("proxy-connection", .proxyConnection) ?? .other
        case 17:
            return pick("transfer-encoding", .transferEncoding) ?? pick("x-forwarded-proto", .forwardedProto) ?? .other
        default: return .other
        }
    }
}

/// One header line: where its name and its trimmed value stand.
package struct Field: Sendable, Hashable {
    package var known: FieldName
    package var name: ByteRange
    package var value: ByteRange

    /// Parses the line `start..<end`, which is without its CRLF and not empty (RFC 9112 section 5).
    static func parse(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int
    ) -> Result<Field, WireViolation> {
        if isBlank(bytes[start]) { return .failure(.foldedLine) }
        var colon = start
        while colon < end, isTokenByte(bytes[colon]) { colon += 1 }
        guard colon < end else { return .failure(controlViolation(bytes, start, end) ?? .badFieldName) }
        guard bytes[colon] == 0x3A, colon > start else {
            if let violation = controlViolation(bytes, start, end) { return .failure(violation) }
            return .failure(isBlank(bytes[colon]) && colon > start ? .spaceBeforeColon : .badFieldName)
        }
        if let violation = controlViolation(bytes, colon + 1, end) { return .failure(violation) }
        let name = ByteRange(start, colon)
        let value = ByteRange(colon + 1, end).trimmed(in: bytes)
        return .success(Field(known: .recognise(name.of(bytes)), name: name, value: value))
    }
}

func controlViolation(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> WireViolation? {
    guard let byte = firstControlByte(in: bytes, start, end) else { return nil }
    return byte == 0x0D ? .bareCarriageReturn : .controlByte
}
