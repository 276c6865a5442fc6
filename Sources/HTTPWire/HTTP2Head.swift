/// The head, or the trailer section, of an HTTP/2 message that comes field by field (RFC 9113 section 8), written as
/// HTTP/1.1: from there on every request is read by one parser, whatever it came by.
///
/// What could be read in two ways after the change of protocol is refused: that is what smuggling by downgrade is made
/// of (control bytes and colons in names and values, a target that is no path, an authority that is not the host, fields
/// that say how an HTTP/1.1 message ends). The library that frames HTTP/2 checks most of this as well; nothing here relies
/// on it.
package final class HTTP2Head {
    private let method = WireBuffer(capacity: 32)
    private let path = WireBuffer(capacity: 256)
    private let authority = WireBuffer(capacity: 128)
    private let host = WireBuffer(capacity: 128)
    private let status = WireBuffer(capacity: 8)
    private let cookie = WireBuffer(capacity: 256)
    private let fields = WireBuffer(capacity: 2048)
    private let length = WireBuffer(capacity: 24)
    private var count = 0
    private var size = 0
    private var announcesTrailers = false
    private var violation: WireViolation?

    package init() {}

    package func reset() {
        for buffer in [method, path, authority, host, status, cookie, fields, length] { buffer.clear() }
        count = 0
        size = 0
        announcesTrailers = false
        violation = nil
    }

    /// Takes in one field, pseudo or not. After a violation nothing more is kept.
    package func add(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        guard violation == nil else { return }
        count += 1
        // Counted as RFC 9113 section 6.5.2 does.
        size += name.count + value.count + 32
        guard size <= HTTPWire.maxHeadBytes + 32 * count else {
            violation = .headTooLarge
            return
        }
        guard count <= HTTPWire.maxFields else {
            violation = .tooManyFields
            return
        }
        if let byte = firstControlByte(in: value, 0, value.count) {
            violation = byte == 0x0D ? .bareCarriageReturn : .controlByte
            return
        }
        if name.first == 0x3A { return addPseudo(name, value) }
        guard !name.isEmpty, name.allSatisfy({ isTokenByte($0) && asciiLowercased($0) == $0 }) else {
            violation = .badFieldName
            return
        }
        addRegular(name, value)
    }

    private func addPseudo(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        let target: WireBuffer
        if equals(name, ":method") {
            target = method
        } else if equals(name, ":path") {
            target = path
        } else if equals(name, ":authority") {
            target = authority
        } else if equals(name, ":status") {
            target = status
        } else if equals(name, ":scheme") {
            return
        } else {
            violation = .badFieldName
            return
        }
        guard target.isEmpty, !value.contains(0x20) else {
            violation = .badTarget
            return
        }
        target.append(value)
    }

    private func addRegular(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        switch FieldName.recognise(name) {
        case .host:
            guard host.isEmpty else {
                violation = .duplicateHost
                return
            }
            host.append(value)
        case .te:
            // The only hop-by-hop field that HTTP/2 has (section 8.2.2); what it says holds for this hop.
            if !equalsIgnoringCase(value, "trailers") { violation = .badFieldName }
        case .connection, .keepAlive, .proxyConnection, .upgrade, .transferEncoding: violation = .badFieldName
        case .cookie:
            // Section 8.2.3: crumbs are one field for whoever does not speak HTTP/2.
            if !cookie.isEmpty { cookie.append("; ") }
            cookie.append(value)
        case .contentLength:
            guard length.isEmpty else {
                violation = .differingContentLengths
                return
            }
            length.append(value)
        default:
            if equals(name, "trailer") { announcesTrailers = true }
            fields.append(name)
            fields.append(": ")
            fields.append(value)
            fields.append("\r\n")
        }
    }

    /// Writes a request's head.
    ///
    /// - Parameter endsStream: nothing follows.
    /// - Returns: how the body is framed in what follows.
    package func writeRequest(
        to out: WireBuffer, endsStream: Bool
    ) -> Result<HTTP2BodyFraming, WireViolation> {
        if let violation { return .failure(violation) }
        guard status.isEmpty, !method.isEmpty else { return .failure(.badRequestLine) }
        let isConnect = equals(method.bytes, "CONNECT")
        let isAsterisk = equals(path.bytes, "*") && equals(method.bytes, "OPTIONS")
        guard isConnect ? path.isEmpty : isAsterisk || path.bytes.first == 0x2F else { return .failure(.badTarget) }
        if !authority.isEmpty, !host.isEmpty, !equalsIgnoringCase(authority.bytes, host.bytes) {
            return .failure(.hostMismatch)
        }
        let named = authority.isEmpty ? host : authority
        guard !named.isEmpty else { return .failure(.missingHost) }
        out.append(method.bytes)
        out.append(byte: 0x20)
        out.append(isConnect ? named.bytes : path.bytes)
        out.append(" HTTP/1.1\r\nhost: ")
        out.append(named.bytes)
        out.append("\r\n")
        writeFields(to: out)
        return .success(writeFraming(to: out, endsStream: endsStream, saysEmpty: false))
    }

    package var isHeadRequest: Bool { equals(method.bytes, "HEAD") }

    /// Whether a response's head is an interim one.
    package var isInterim: Bool { status.bytes.first == 0x31 }

    /// Writes a response's head.
    ///
    /// - Parameter hasNoBody: the request was a HEAD, so that a length says nothing about what follows.
    package func writeResponse(
        to out: WireBuffer, endsStream: Bool, hasNoBody: Bool
    ) -> Result<HTTP2BodyFraming, WireViolation> {
        if let violation { return .failure(violation) }
        guard status.count == 3, method.isEmpty, path.isEmpty else { return .failure(.badStatusLine) }
        out.append("HTTP/1.1 ")
        out.append(status.bytes)
        out.append(" \r\n")
        writeFields(to: out)
        // These have no body whatever they say (RFC 9112 section 6.3).
        let isEmpty = hasNoBody || isInterim || equals(status.bytes, "204") || equals(status.bytes, "304")
        return .success(writeFraming(to: out, endsStream: endsStream || isEmpty, saysEmpty: !isEmpty))
    }

    /// Writes the trailer section with the empty line that ends it; what may not stand there is refused by whoever reads it.
    package func writeTrailers(to out: WireBuffer) -> WireViolation? {
        if let violation { return violation }
        guard method.isEmpty, path.isEmpty, status.isEmpty else { return .badTrailer }
        out.append(fields.bytes)
        out.append("\r\n")
        return nil
    }

    private func writeFields(to out: WireBuffer) {
        out.append(fields.bytes)
        guard !cookie.isEmpty else { return }
        out.append("cookie: ")
        out.append(cookie.bytes)
        out.append("\r\n")
    }

    private func writeFraming(to out: WireBuffer, endsStream: Bool, saysEmpty: Bool) -> HTTP2BodyFraming {
        // Trailers need chunks in HTTP/1.1: the length goes where trailers were announced.
        if !length.isEmpty, endsStream || !announcesTrailers {
            out.append("content-length: ")
            out.append(length.bytes)
            out.append("\r\n\r\n")
            return .plain
        }
        if endsStream {
            out.append(saysEmpty ? "content-length: 0\r\n\r\n" : "\r\n")
            return .plain
        }
        out.append("transfer-encoding: chunked\r\n\r\n")
        return .chunked
    }
}

/// How a body that came by HTTP/2 is written as HTTP/1.1.
package enum HTTP2BodyFraming: Sendable, Equatable {
    /// As it is: it has a length, or it is empty.
    case plain
    case chunked
}

extension WireBuffer {
    /// Content as one chunk; nothing for none, which would end the message.
    package func append(chunk bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        var shift = (Int.bitWidth - bytes.count.leadingZeroBitCount - 1) / 4 * 4
        while shift >= 0 {
            let digit = UInt8((bytes.count >> shift) & 15)
            append(byte: digit < 10 ? 0x30 + digit : 0x57 + digit)
            shift -= 4
        }
        append("\r\n")
        append(bytes)
        append("\r\n")
    }
}
