/// What the other side did that RFC 6455 does not allow, with the close code that says so.
struct WebSocketFault: Error, Sendable, Hashable {
    var code: WebSocketCloseCode
    var message: String

    init(_ code: WebSocketCloseCode, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// Takes a connection's bytes in pieces cut anywhere and gives the messages and control frames that they complete.
///
/// Strict, and bounded: a message over `maxMessageBytes`, whether in one frame or in fragments, is refused as soon as its
/// length is known, so no more than that is ever held. After a fault nothing more is parsed.
struct WebSocketParser: Sendable {
    enum Event: Sendable, Hashable {
        case message(WebSocketMessage)
        case ping([UInt8])
        case pong([UInt8])
        /// `nil` where the other side gave no code (section 7.1.5).
        case close(WebSocketCloseCode?, reason: String)
    }

    private let maxMessageBytes: Int
    /// Whether frames must be masked (a server's input) or must not be (a client's), section 5.1.
    private let expectsMask: Bool
    private var buffer: [UInt8] = []
    /// Where in `buffer` the next frame begins.
    private var start = 0
    private var message: (isText: Bool, bytes: [UInt8])?
    private var isOver = false

    init(maxMessageBytes: Int, expectsMask: Bool) {
        self.maxMessageBytes = maxMessageBytes
        self.expectsMask = expectsMask
    }

    /// - Parameter give: called for each event in order.
    mutating func feed(_ bytes: some Sequence<UInt8>, _ give: (Event) -> Void) throws(WebSocketFault) {
        guard !isOver else { return }
        buffer.append(contentsOf: bytes)
        do {
            while let event = try nextEvent() {
                if case .some(let event) = event { give(event) }
                if isOver { break }
            }
        } catch {
            isOver = true
            buffer = []
            throw error
        }
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
    }

    /// The outer `nil`: more bytes are needed; the inner one: a fragment that completes nothing.
    private mutating func nextEvent() throws(WebSocketFault) -> Event?? {
        guard let frame = try nextFrame() else { return nil }
        switch frame.opcode {
        case .ping: return .some(.ping(frame.payload))
        case .pong: return .some(.pong(frame.payload))
        case .close:
            isOver = true
            return .some(try Self.close(frame.payload))
        case .text, .binary:
            guard message == nil else { throw WebSocketFault(.protocolError, "a message begins within another") }
            message = (frame.opcode == .text, frame.payload)
        case .continuation:
            guard message != nil else { throw WebSocketFault(.protocolError, "a fragment without its beginning") }
            message?.bytes += frame.payload
        }
        guard frame.isFinal, let whole = message else { return .some(nil) }
        message = nil
        guard whole.isText else { return .some(.message(.binary(whole.bytes))) }
        guard let text = String(validating: whole.bytes, as: UTF8.self) else {
            throw WebSocketFault(.invalidPayload, "a text that is not UTF-8")
        }
        return .some(.message(.text(text)))
    }

    private mutating func nextFrame() throws(WebSocketFault) -> WebSocketFrame? {
        let available = buffer.count - start
        guard available >= 2 else { return nil }
        let (first, second) = (buffer[start], buffer[start + 1])
        guard first & 0x70 == 0 else { throw WebSocketFault(.protocolError, "a reserved bit is set") }
        guard let opcode = WebSocketFrame.Opcode(rawValue: first & 0x0F) else {
            throw WebSocketFault(.protocolError, "the opcode \(first & 0x0F) is not known")
        }
        let isFinal = first & 0x80 != 0
        guard (second & 0x80 != 0) == expectsMask else {
            throw WebSocketFault(.protocolError, expectsMask ? "a frame is not masked" : "a frame is masked")
        }
        let short = Int(second & 0x7F)
        let lengthBytes = short == 126 ? 2 : short == 127 ? 8 : 0
        let headBytes = 2 + lengthBytes + (expectsMask ? 4 : 0)
        guard available >= 2 + lengthBytes else { return nil }
        let length = lengthBytes == 0 ? UInt64(short) : number(at: start + 2, bytes: lengthBytes)
        if opcode.isControl, !isFinal || length > UInt64(WebSocketFrame.maxControlBytes) {
            throw WebSocketFault(.protocolError, "a control frame is fragmented or over 125 bytes")
        }
        guard length <= UInt64(maxMessageBytes - (opcode.isControl ? 0 : message?.bytes.count ?? 0)) else {
            throw WebSocketFault(.tooLarge, "a message is over \(maxMessageBytes) bytes")
        }
        guard available >= headBytes + Int(length) else { return nil }
        let payloadStart = start + headBytes
        var payload = Array(buffer[payloadStart..<(payloadStart + Int(length))])
        if expectsMask {
            WebSocketFrame.apply(UInt32(number(at: payloadStart - 4, bytes: 4)), to: &payload)
        }
        start = payloadStart + Int(length)
        return WebSocketFrame(opcode: opcode, isFinal: isFinal, payload: payload)
    }

    private func number(at index: Int, bytes count: Int) -> UInt64 {
        buffer[index..<(index + count)].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Sections 5.5.1 and 7.4.
    private static func close(_ payload: [UInt8]) throws(WebSocketFault) -> Event {
        guard !payload.isEmpty else { return .close(nil, reason: "") }
        guard payload.count >= 2 else { throw WebSocketFault(.protocolError, "a close code of one byte") }
        let code = WebSocketCloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
        guard code.isSendable else { throw WebSocketFault(.protocolError, "the close code \(code.rawValue)") }
        guard let reason = String(validating: payload[2...], as: UTF8.self) else {
            throw WebSocketFault(.protocolError, "a close reason that is not UTF-8")
        }
        return .close(code, reason: reason)
    }
}
