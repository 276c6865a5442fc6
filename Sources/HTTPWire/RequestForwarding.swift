/// How a request's head is written for the next hop.
package struct RequestForwarding: Sendable {
    /// `routing.propagateHeader`.
    package var propagates: Bool
    /// `routing.headerName` in lower case.
    package var headerName: [UInt8]
    /// The client's address, for `x-forwarded-for`.
    package var clientAddress: [UInt8]
    /// The offer to upgrade is passed on.
    package var upgrades: Bool
    /// The client spoke TLS, for `x-forwarded-proto`.
    package var isSecure: Bool

    package init(
        propagates: Bool, headerName: [UInt8], clientAddress: [UInt8], upgrades: Bool = false, isSecure: Bool = false
    ) {
        self.upgrades = upgrades
        self.isSecure = isSecure
        self.propagates = propagates
        self.headerName = headerName
        self.clientAddress = clientAddress
    }
}

extension WireBuffer {
    /// Writes the head for the next hop.
    ///
    /// With `propagates`, the context goes into the header, `baggage` and `tracestate` (members of others stay, all of
    /// them in `baggage`, up to 32 in `tracestate`), and `traceparent` names `span` as the next hop's parent; it is made
    /// where there is none. One that cannot be read is nobody's to change. Without, our members go and nothing else
    /// changes. `Host` stays, `x-forwarded-for|proto|host` are appended to, hop-by-hop
    /// fields go.
    ///
    /// - Parameters:
    ///   - context: the context's canonical name, empty for none.
    ///   - trace: what a `traceparent` that is made begins or goes on with.
    ///   - span: this hop's own id, not 0.
    package func appendRequest(
        _ request: borrowing RequestHeadParser, _ bytes: UnsafeRawBufferPointer, carriers: ContextCarriers,
        context: [UInt8], forwarding: borrowing RequestForwarding, trace: TraceID,
        span: UInt64
    ) {
        let writesContext = forwarding.propagates && !context.isEmpty
        appendRequestLine(request, bytes)
        forwarding.headerName.withUnsafeBytes { headerName in
            for field in request.head.fields {
                switch field.known {
                case .connection, .keepAlive, .proxyConnection, .te, .upgrade, .transferEncoding, .contentLength,
                    .forwardedFor, .forwardedProto, .forwardedHost:
                    continue
                case .baggage where writesContext || carriers.isInBaggage: continue
                case .tracestate where writesContext || carriers.isInTracestate: continue
                case .traceparent where forwarding.propagates:
                    guard let digits = carriers.traced?.parentDigits else { break }
                    append("traceparent: ")
                    append(ByteRange(Int(field.value.start), Int(digits.start)).of(bytes))
                    append(hex: span)
                    append(ByteRange(Int(digits.end), Int(field.value.end)).of(bytes))
                    append("\r\n")
                    continue
                case .other:
                    if equalsIgnoringCase(field.name.of(bytes), headerName) { continue }
                    if request.head.connectionNamesFields, request.head.connectionNames(field.name, bytes) { continue }
                default: break
                }
                append(field, bytes)
            }
        }
        if forwarding.upgrades { appendUpgrade(request.head, bytes) }
        appendForwarded(request.head, bytes, forwarding)
        if writesContext {
            append(forwarding.headerName)
            append(": ")
            append(context)
            append("\r\n")
        }
        if writesContext || carriers.isInBaggage {
            appendMerged("baggage: ", .baggage, "msx-env", writesContext ? context : [], request.head, bytes, Int.max)
        }
        if writesContext || carriers.isInTracestate {
            appendMerged("tracestate: ", .tracestate, "msx", writesContext ? context : [], request.head, bytes, 32)
        }
        if forwarding.propagates, !request.head.has(.traceparent) {
            appendTraceparent(trace, span: span)
        }
        if let length = request.head.contentLength {
            append("content-length: ")
            append(decimal: length)
            append("\r\n")
        } else if request.head.isChunked {
            append("transfer-encoding: chunked\r\n")
        }
        append("\r\n")
    }

    private func appendRequestLine(_ request: borrowing RequestHeadParser, _ bytes: UnsafeRawBufferPointer) {
        append(request.method.of(bytes))
        append(byte: 0x20)
        let target = request.target.of(bytes)
        // Of the server as a whole (RFC 9112 section 3.2.4).
        if target.isEmpty, equals(request.method.of(bytes), "OPTIONS") { return append("* HTTP/1.1\r\n") }
        // Absolute form may come without a path (RFC 9112 section 3.2.2).
        if target.isEmpty || target[0] == 0x3F { append(byte: 0x2F) }
        append(target)
        append(" HTTP/1.1\r\n")
    }

    /// For both directions of an upgrade.
    func appendUpgrade(_ head: HeadFields, _ bytes: UnsafeRawBufferPointer) {
        append("connection: upgrade\r\n")
        for field in head.fields where field.known == .upgrade { append(field, bytes) }
    }

    private func appendForwarded(
        _ head: HeadFields, _ bytes: UnsafeRawBufferPointer, _ forwarding: borrowing RequestForwarding
    ) {
        appendJoined("x-forwarded-for: ", .forwardedFor, head, bytes)
        append(forwarding.clientAddress)
        append("\r\n")
        appendJoined("x-forwarded-proto: ", .forwardedProto, head, bytes)
        append(forwarding.isSecure ? "https\r\n" : "http\r\n")
        appendJoined("x-forwarded-host: ", .forwardedHost, head, bytes)
        if let host = head.host { append(host.of(bytes)) }
        append("\r\n")
    }

    private func appendJoined(
        _ label: StaticString, _ name: FieldName, _ head: HeadFields, _ bytes: UnsafeRawBufferPointer
    ) {
        append(label)
        guard head.has(name) else { return }
        for field in head.fields where field.known == name && !field.value.isEmpty {
            append(field.value.of(bytes))
            append(", ")
        }
    }

    /// Our member first, where nobody cuts it off, then everybody else's in their order.
    private func appendMerged(
        _ label: StaticString, _ name: FieldName, _ key: StaticString, _ value: [UInt8], _ head: HeadFields,
        _ bytes: UnsafeRawBufferPointer, _ limit: Int
    ) {
        var written = 0
        if !value.isEmpty {
            append(label)
            append(key)
            append(byte: 0x3D)
            append(value)
            written = 1
        }
        for field in head.fields where field.known == name {
            var members = ListMembers(field.value)
            while written < limit, let member = members.next(in: bytes) {
                guard !member.isEmpty, ContextCarriers.memberValue(member, named: key, in: bytes) == nil else {
                    continue
                }
                if written == 0 { append(label) } else { append(byte: 0x2C) }
                append(member.of(bytes))
                written += 1
            }
        }
        if written > 0 { append("\r\n") }
    }

    /// W3C Trace Context, version 00, sampled: a sampler that follows its parent must not be switched off by us.
    private func appendTraceparent(_ trace: TraceID, span: UInt64) {
        append("traceparent: 00-")
        append(hex: trace.high)
        append(hex: trace.low)
        append(byte: 0x2D)
        append(hex: span)
        append("-01\r\n")
    }
}
