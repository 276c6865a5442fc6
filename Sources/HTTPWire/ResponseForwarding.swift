/// What the response's head says to the client about the connection and the body.
package struct ResponseForwarding: Sendable {
    package enum Connection: Sendable {
        /// Nothing needs to be said.
        case standard
        case close
        /// For an HTTP/1.0 client that asked for it.
        case keepAlive
    }

    package var connection: Connection
    /// Whether the client gets chunks.
    package var isChunked: Bool

    package init(connection: Connection, isChunked: Bool) {
        self.connection = connection
        self.isChunked = isChunked
    }
}

extension WireBuffer {
    /// Writes a final response's head for the client: hop-by-hop fields and what only the gateway may say go, then
    /// `ownLines` (whole lines, such as the provider's) follow.
    package func appendResponse(
        _ response: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer, ownLines: [UInt8],
        warning: StaticString?, forwarding: ResponseForwarding
    ) {
        appendStatusAndFields(response, bytes)
        append(ownLines)
        if let warning {
            append("x-msx-warning: ")
            append(warning)
            append("\r\n")
        }
        if let length = response.head.contentLength, response.status != 204 {
            append("content-length: ")
            append(decimal: length)
            append("\r\n")
        } else if forwarding.isChunked {
            append("transfer-encoding: chunked\r\n")
        }
        switch forwarding.connection {
        case .standard: break
        case .close: append("connection: close\r\n")
        case .keepAlive: append("connection: keep-alive\r\n")
        }
        append("\r\n")
    }

    /// Writes an interim (1xx) response.
    package func appendInterim(_ response: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer) {
        appendStatusAndFields(response, bytes)
        append("\r\n")
    }

    /// Writes the answer that ends HTTP on this connection (101); what comes after it is of another protocol.
    package func appendSwitching(
        _ response: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer, ownLines: [UInt8]
    ) {
        appendStatusAndFields(response, bytes)
        append(ownLines)
        appendUpgrade(response.head, bytes)
        append("\r\n")
    }

    private func appendStatusAndFields(_ response: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer) {
        append("HTTP/1.1 ")
        append(response.statusText.of(bytes))
        if response.statusText.count == 3 { append(byte: 0x20) }
        append("\r\n")
        for field in response.head.fields {
            switch field.known {
            case .connection, .keepAlive, .proxyConnection, .te, .upgrade, .transferEncoding, .contentLength,
                .msxError, .msxProvider, .msxWarning, .msxRoute:
                continue
            case .other where response.head.connectionNamesFields:
                if response.head.connectionNames(field.name, bytes) { continue }
            default: break
            }
            append(field, bytes)
        }
    }
}
