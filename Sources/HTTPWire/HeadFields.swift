/// The header lines of one head, with what they say about the message's length and about the connection.
///
/// Keeps its memory over `reset()`.
package struct HeadFields: Sendable {
    package private(set) var fields: [Field] = []
    /// `Connection: close`.
    package private(set) var saysClose = false
    /// `Connection: keep-alive`.
    package private(set) var saysKeepAlive = false
    /// `Connection` names other fields, which concern this connection only.
    package private(set) var connectionNamesFields = false
    /// `Connection: upgrade`, without which an `Upgrade` offers nothing (RFC 9110 section 7.8).
    package private(set) var saysUpgrade = false
    /// `Upgrade` names another protocol than HTTP. A server may ignore an offer (RFC 9110 section 7.8), and one to another
    /// HTTP or to TLS is ignored: its requests would go where the first one went, unseen.
    package var hasUpgrade: Bool { namesProtocol && !upgradeIsHTTP }
    private var namesProtocol = false
    private var upgradeIsHTTP = false
    package private(set) var contentLength: Int?
    package private(set) var isChunked = false
    package private(set) var hasTransferEncoding = false
    package private(set) var host: ByteRange?
    /// Which of the known fields are there, one bit per ``FieldName``.
    private var present: UInt32 = 0

    private let maxFields: Int

    package init(maxFields: Int = HTTPWire.maxFields) {
        self.maxFields = maxFields
        fields.reserveCapacity(32)
    }

    mutating func reset() {
        fields.removeAll(keepingCapacity: true)
        saysClose = false
        saysKeepAlive = false
        connectionNamesFields = false
        saysUpgrade = false
        namesProtocol = false
        upgradeIsHTTP = false
        contentLength = nil
        isChunked = false
        hasTransferEncoding = false
        host = nil
        present = 0
    }

    /// `x-msx-explain: 1`.
    package func asksToExplain(_ bytes: UnsafeRawBufferPointer) -> Bool {
        has(.msxExplain) && fields.contains { $0.known == .msxExplain && equals($0.value.of(bytes), "1") }
    }

    package func has(_ name: FieldName) -> Bool { present & (1 << UInt32(name.rawValue)) != 0 }

    /// Takes the line `start..<end` in; the violation if it may not be there.
    mutating func append(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> WireViolation? {
        guard fields.count < maxFields else { return .tooManyFields }
        let field: Field
        switch Field.parse(bytes, start, end) {
        case .success(let parsed): field = parsed
        case .failure(let violation): return violation
        }
        fields.append(field)
        guard field.known != .other else { return nil }
        return note(field, bytes)
    }

    private mutating func note(_ field: Field, _ bytes: UnsafeRawBufferPointer) -> WireViolation? {
        switch field.known {
        case .host:
            guard host == nil else { return .duplicateHost }
            host = field.value
        case .contentLength:
            guard let length = parseLength(field.value.of(bytes)) else { return .badContentLength }
            if let contentLength, contentLength != length { return .differingContentLengths }
            contentLength = length
        case .transferEncoding:
            guard !hasTransferEncoding, equalsIgnoringCase(field.value.of(bytes), "chunked") else {
                return .unknownTransferEncoding
            }
            hasTransferEncoding = true
            isChunked = true
        case .connection: noteConnection(field.value, bytes)
        case .upgrade:
            var members = ListMembers(field.value)
            while let member = members.next(in: bytes) {
                if isHTTPAgain(member.of(bytes)) {
                    upgradeIsHTTP = true
                } else if !member.isEmpty {
                    namesProtocol = true
                }
            }
        default: break
        }
        present |= 1 << UInt32(field.known.rawValue)
        return nil
    }

    private mutating func noteConnection(_ value: ByteRange, _ bytes: UnsafeRawBufferPointer) {
        var members = ListMembers(value)
        while let member = members.next(in: bytes) {
            let token = member.of(bytes)
            if equalsIgnoringCase(token, "close") {
                saysClose = true
            } else if equalsIgnoringCase(token, "keep-alive") {
                saysKeepAlive = true
            } else if equalsIgnoringCase(token, "upgrade") {
                saysUpgrade = true
            } else if !member.isEmpty {
                connectionNamesFields = true
            }
        }
    }

    /// Whether `Connection` names this field. Only asked for fields that are ``FieldName/other``: nobody may use
    /// `Connection` to take away a message's length, its host or what the gateway itself writes.
    func connectionNames(_ name: ByteRange, _ bytes: UnsafeRawBufferPointer) -> Bool {
        for field in fields where field.known == .connection {
            var members = ListMembers(field.value)
            while let member = members.next(in: bytes) {
                if equalsIgnoringCase(member.of(bytes), name.of(bytes)) { return true }
            }
        }
        return false
    }

    /// Whether it says that there is a body, whatever else says that there is none.
    package var announcesBody: Bool { isChunked || (contentLength ?? 0) > 0 }

    /// Both a length and chunks: two parsers could disagree where the message ends (RFC 9112 section 6.3).
    var lengthViolation: WireViolation? {
        contentLength != nil && hasTransferEncoding ? .lengthAndTransferEncoding : nil
    }
}

/// `h2c`, `HTTP/2.0`, `TLS/1.2`.
private func isHTTPAgain(_ token: UnsafeRawBufferPointer) -> Bool {
    func begins(_ text: StaticString) -> Bool {
        guard token.count >= text.utf8CodeUnitCount else { return false }
        return equalsIgnoringCase(UnsafeRawBufferPointer(rebasing: token[..<text.utf8CodeUnitCount]), text)
    }
    return begins("h2") || begins("h3") || begins("http") || begins("tls")
}

/// Digits only, at most 18 of them.
private func parseLength(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard bytes.count >= 1, bytes.count <= 18 else { return nil }
    var length = 0
    for byte in bytes {
        guard isDigit(byte) else { return nil }
        length = length * 10 + Int(byte - 0x30)
    }
    return length
}

/// Goes through a comma-separated value; members come trimmed and may be empty.
package struct ListMembers: Sendable {
    private var position: Int
    private let end: Int
    private let separator: UInt8
    private var isDone = false

    package init(_ value: ByteRange, separator: UInt8 = 0x2C) {
        position = Int(value.start)
        end = Int(value.end)
        self.separator = separator
    }

    package mutating func next(in bytes: UnsafeRawBufferPointer) -> ByteRange? {
        guard !isDone else { return nil }
        var index = position
        while index < end, bytes[index] != separator { index += 1 }
        let member = ByteRange(position, index).trimmed(in: bytes)
        if index < end { position = index + 1 } else { isDone = true }
        return member
    }
}
