/// The header names that the gateway acts on; every other one is `other` and is only copied.
package enum FieldName: UInt8, Sendable {
    case other
    case host, contentLength, contentType, transferEncoding
    case connection, keepAlive, proxyConnection, te, upgrade
    case expect, cookie, trailer
    case baggage, tracestate, traceparent, b3, b3TraceID
    case forwardedFor, forwardedProto, forwardedHost
    case msxError, msxProvider, msxWarning, msxRoute, msxExplain

    /// Fields that concern one connection only (RFC 9110 section 7.6.1), whatever `Connection` says.
    package var isHopByHop: Bool {
        switch self {
        case .connection, .keepAlive, .proxyConnection, .te, .upgrade, .transferEncoding: true
        default: false
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
        case 11:
            return pick("traceparent", .traceparent) ?? pick("x-msx-error", .msxError) ?? pick("x-msx-route", .msxRoute)
                ?? .other
        case 12: return pick("content-type", .contentType) ?? pick("x-b3-traceid", .b3TraceID) ?? .other
        case 13: return pick("x-msx-warning", .msxWarning) ?? pick("x-msx-explain", .msxExplain) ?? .other
        case 14: return pick("content-length", .contentLength) ?? pick("x-msx-provider", .msxProvider) ?? .other
        case 15: return pick("x-forwarded-for", .forwardedFor) ?? .other
        case 16: return pick("x-forwarded-host", .forwardedHost) ?? pick("proxy-connection", .proxyConnection) ?? .other
        case 17:
            return pick("transfer-encoding", .transferEncoding) ?? pick("x-forwarded-proto", .forwardedProto) ?? .other
        default: return .other
        }
    }

    /// Whether a name that is ``other`` is that of a field which the gateway acts on but for `_` in the place of `-`. To
    /// whoever reads headers as variables (CGI, WSGI, PHP) both are one, and the forged one may win.
    static func isForged(_ name: UnsafeRawBufferPointer) -> Bool {
        guard firstIndex(of: 0x5F, in: name, from: 0) != nil, name.count <= 20 else { return false }
        return withUnsafeTemporaryAllocation(byteCount: name.count, alignment: 1) { dashed in
            for (index, byte) in name.enumerated() { dashed[index] = byte == 0x5F ? 0x2D : byte }
            return recognise(UnsafeRawBufferPointer(dashed)) != .other
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
        let known = FieldName.recognise(name.of(bytes))
        if known == .other, FieldName.isForged(name.of(bytes)) { return .failure(.forgedFieldName) }
        return .success(Field(known: known, name: name, value: value))
    }
}

func controlViolation(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> WireViolation? {
    guard let byte = firstControlByte(in: bytes, start, end) else { return nil }
    return byte == 0x0D ? .bareCarriageReturn : .controlByte
}
