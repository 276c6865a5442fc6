/// Parses one request head after another (RFC 9112 sections 3 and 5).
///
/// `parse` is given all bytes from the head's start each time. One empty line before the request line is skipped, as
/// section 2.2 asks. After `complete` the accessors describe the head, as ranges of those bytes, until `reset()`.
package struct RequestHeadParser: Sendable {
    package private(set) var method = ByteRange.empty
    /// Path and query as they are forwarded; in absolute form the part after the authority, which may be empty.
    package private(set) var target = ByteRange.empty
    /// 0 or 1.
    package private(set) var minorVersion: UInt8 = 1
    package private(set) var head: HeadFields
    private var authority: ByteRange?
    private var lines: LineScanner
    private var hasRequestLine = false

    package init(_ limits: HTTPWire.HeadLimits = .standard) {
        head = HeadFields(maxFields: limits.fields)
        lines = LineScanner(maxBytes: limits.bytes)
    }

    package mutating func reset() {
        lines.reset()
        hasRequestLine = false
        authority = nil
        head.reset()
    }

    package mutating func parse(_ bytes: UnsafeRawBufferPointer) -> HeadProgress {
        while true {
            switch lines.next(bytes) {
            case .more: return .more
            case .refused(let violation): return .refused(violation)
            case .line(let start, let end):
                if !hasRequestLine {
                    if start == end, start == 0 { continue }
                    if let violation = parseRequestLine(bytes, start, end) { return .refused(violation) }
                    hasRequestLine = true
                } else if start == end {
                    if let violation = check(bytes) { return .refused(violation) }
                    return .complete(lines.lineStart)
                } else if let violation = head.append(bytes, start, end) {
                    return .refused(violation)
                }
            }
        }
    }

    package var isHTTP10: Bool { minorVersion == 0 }

    /// Whether the client will read another response on this connection (RFC 9112 section 9.3).
    package var keepsAlive: Bool {
        if head.saysClose { return false }
        return minorVersion == 1 || head.saysKeepAlive
    }

    /// How the request's body ends; a request is never delimited by closing (RFC 9112 section 6.3).
    package var framing: BodyFraming {
        if head.isChunked { return .chunked }
        guard let length = head.contentLength, length > 0 else { return .none }
        return .length(length)
    }

    /// Value of `Host`, which a complete head always has.
    package var host: ByteRange { head.host ?? .empty }

    private mutating func parseRequestLine(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int
    ) -> WireViolation? {
        if let violation = controlViolation(bytes, start, end) { return violation }
        var index = start
        while index < end, isTokenByte(bytes[index]) { index += 1 }
        guard index > start, index < end, bytes[index] == 0x20 else { return .badRequestLine }
        method = ByteRange(start, index)
        let targetStart = index + 1
        index = targetStart
        while index < end, bytes[index] > 0x20, bytes[index] < 0x7F { index += 1 }
        guard index > targetStart, index < end, bytes[index] == 0x20 else { return .badRequestLine }
        target = ByteRange(targetStart, index)
        guard let minor = parseVersion(bytes, index + 1, end) else { return .badVersion }
        minorVersion = minor
        return parseTarget(bytes)
    }

    private mutating func parseTarget(_ bytes: UnsafeRawBufferPointer) -> WireViolation? {
        let start = Int(target.start)
        let end = Int(target.end)
        if bytes[start] == 0x2F { return firstIndex(of: 0x23, in: bytes, start, end) == nil ? nil : .badTarget }
        if target.count == 1, bytes[start] == 0x2A { return equals(method.of(bytes), "OPTIONS") ? nil : .badTarget }
        if equals(method.of(bytes), "CONNECT") { return nil }
        // Absolute form; other schemes than http are nobody's here.
        let scheme: StaticString = "http://"
        guard target.count > scheme.utf8CodeUnitCount,
            equalsIgnoringCase(ByteRange(start, start + 7).of(bytes), scheme)
        else { return .badTarget }
        var index = start + 7
        while index < end, bytes[index] != 0x2F, bytes[index] != 0x3F, bytes[index] != 0x23 { index += 1 }
        authority = ByteRange(start + 7, index)
        target = ByteRange(index, end)
        return firstIndex(of: 0x23, in: bytes, index, end) == nil ? nil : .badTarget
    }

    private func check(_ bytes: UnsafeRawBufferPointer) -> WireViolation? {
        guard let host = head.host else { return .missingHost }
        let value = host.of(bytes)
        if !isGoodHost(value) { return .badHost }
        if let authority, !equalsIgnoringCase(authority.of(bytes), value) { return .hostMismatch }
        if minorVersion == 0, head.hasTransferEncoding { return .unknownTransferEncoding }
        return head.lengthViolation
    }
}

/// `uri-host [":" port]` (RFC 9110 section 7.2, RFC 3986 section 3.2.2): a name, an IPv4 address or a bracketed IPv6
/// address. A comma, which a name may hold, is refused: it joins two hosts where somebody merges headers.
private func isGoodHost(_ value: UnsafeRawBufferPointer) -> Bool {
    guard let first = value.first, first != 0x3A else { return false }
    var index = 0
    if first == 0x5B {
        index = 1
        while index < value.count, isHexDigit(value[index]) || value[index] == 0x3A || value[index] == 0x2E {
            index += 1
        }
        guard index > 1, index < value.count, value[index] == 0x5D else { return false }
        index += 1
    } else {
        while index < value.count, isNameByte(value[index]) { index += 1 }
    }
    if index < value.count, value[index] == 0x3A {
        index += 1
        while index < value.count, isDigit(value[index]) { index += 1 }
    }
    return index == value.count
}

private func isHexDigit(_ byte: UInt8) -> Bool {
    let lower = asciiLowercased(byte)
    return isDigit(byte) || (lower >= 0x61 && lower <= 0x66)
}

/// Of a registered name: unreserved, percent, and sub-delimiters without the comma, as two bit sets.
@inline(__always)
private func isNameByte(_ byte: UInt8) -> Bool {
    // ! $ % & ' ( ) * + - . 0-9 ; =
    let low: UInt64 = 0x2BFF_6FF2_0000_0000
    // A-Z _ a-z ~
    let high: UInt64 = 0x47FF_FFFE_87FF_FFFE
    if byte < 64 { return (low >> UInt64(byte)) & 1 == 1 }
    if byte < 128 { return (high >> UInt64(byte - 64)) & 1 == 1 }
    return false
}

/// The minor version of `HTTP/1.0` or `HTTP/1.1`.
func parseVersion(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> UInt8? {
    guard end - start == 8, equals(ByteRange(start, start + 7).of(bytes), "HTTP/1.") else { return nil }
    switch bytes[start + 7] {
    case 0x30: return 0
    case 0x31: return 1
    default: return nil
    }
}

private func firstIndex(of byte: UInt8, in bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Int? {
    for index in start..<end where bytes[index] == byte { return index }
    return nil
}
