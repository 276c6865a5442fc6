/// Parses one response head after another (RFC 9112 sections 4 and 5), used like ``RequestHeadParser``.
package struct ResponseHeadParser: Sendable {
    package private(set) var status = 0
    /// Code and reason as they stand, such as `200 OK`.
    package private(set) var statusText = ByteRange.empty
    package private(set) var minorVersion: UInt8 = 1
    package private(set) var head: HeadFields
    private var lines: LineScanner
    private var hasStatusLine = false

    package init(_ limits: HTTPWire.HeadLimits = .standard) {
        head = HeadFields(maxFields: limits.fields)
        lines = LineScanner(maxBytes: limits.bytes)
    }

    package mutating func reset() {
        lines.reset()
        hasStatusLine = false
        head.reset()
    }

    package mutating func parse(_ bytes: UnsafeRawBufferPointer) -> HeadProgress {
        while true {
            switch lines.next(bytes) {
            case .more: return .more
            case .refused(let violation): return .refused(violation)
            case .line(let start, let end):
                if !hasStatusLine {
                    if let violation = parseStatusLine(bytes, start, end) { return .refused(violation) }
                    hasStatusLine = true
                } else if start == end {
                    if let violation = head.lengthViolation { return .refused(violation) }
                    if minorVersion == 0, head.hasTransferEncoding { return .refused(.unknownTransferEncoding) }
                    return .complete(lines.lineStart)
                } else if let violation = head.append(bytes, start, end) {
                    return .refused(violation)
                }
            }
        }
    }

    /// An interim response; the final one follows.
    package var isInterim: Bool { status < 200 }

    /// How the body ends (RFC 9112 section 6.3), given whether the request was a HEAD.
    package func framing(toHead: Bool) -> BodyFraming {
        if toHead || status < 200 || status == 204 || status == 304 { return .none }
        if head.isChunked { return .chunked }
        guard let length = head.contentLength else { return .untilClose }
        return length == 0 ? .none : .length(length)
    }

    /// Whether the connection can serve another request after this response.
    package var keepsAlive: Bool {
        if head.saysClose { return false }
        return minorVersion == 1 || head.saysKeepAlive
    }

    private mutating func parseStatusLine(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int
    ) -> WireViolation? {
        if let violation = controlViolation(bytes, start, end) { return violation }
        // "HTTP/1.1 200", then a space and a reason that may be empty; the last space is often forgotten.
        guard end - start >= 12, bytes[start + 8] == 0x20 else { return .badStatusLine }
        guard let minor = parseVersion(bytes, start, start + 8) else { return .badVersion }
        minorVersion = minor
        var code = 0
        for index in (start + 9)..<(start + 12) {
            guard isDigit(bytes[index]) else { return .badStatusLine }
            code = code * 10 + Int(bytes[index] - 0x30)
        }
        guard code >= 100, code < 600, end - start == 12 || bytes[start + 12] == 0x20 else { return .badStatusLine }
        status = code
        statusText = ByteRange(start + 9, end)
        return nil
    }
}
