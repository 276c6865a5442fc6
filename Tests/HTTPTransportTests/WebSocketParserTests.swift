import Testing

@testable import HTTPTransport

@Suite struct WebSocketParserTests {
    private static func parsed(
        _ bytes: [UInt8], cut: Int = .max, max: Int = 1024, masked: Bool = false
    ) throws -> [WebSocketParser.Event] {
        var parser = WebSocketParser(maxMessageBytes: max, expectsMask: masked)
        var events: [WebSocketParser.Event] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            try parser.feed(rest.prefix(cut)) { events.append($0) }
            rest = rest.dropFirst(cut)
        }
        return events
    }

    /// RFC 6455 section 5.7.
    @Test func theSpecificationsExamplesAreRead() throws {
        #expect(
            try Self.parsed([0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]) == [.message(.text("Hello"))])
        #expect(
            try Self.parsed(
                [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58], masked: true)
                == [.message(.text("Hello"))])
        #expect(
            try Self.parsed([0x01, 0x03, 0x48, 0x65, 0x6c, 0x89, 0x00, 0x80, 0x02, 0x6c, 0x6f])
                == [.ping([]), .message(.text("Hello"))])
        #expect(try Self.parsed([0x88, 0x00]) == [.close(nil, reason: "")])
        #expect(try Self.parsed([0x88, 0x04, 0x03, 0xe9, 0x62, 0x79]) == [.close(.goingAway, reason: "by")])
    }

    @Test func whatIsWrittenIsReadBackHoweverItIsCut() throws {
        var numbers = SystemRandomNumberGenerator()
        for size in [0, 1, 7, 8, 125, 126, 127, 65535, 65536, 70001] {
            let bytes = (0..<size).map { _ in UInt8.random(in: .min ... .max, using: &numbers) }
            let mask = UInt32.random(in: .min ... .max, using: &numbers)
            for mask in [nil, 0, mask] {
                let frame = WebSocketFrame(opcode: .binary, payload: bytes).encoded(mask: mask)
                for cut in [1000, 4093, .max] {
                    let events = try Self.parsed(frame, cut: cut, max: 70001, masked: mask != nil)
                    #expect(events == [.message(.binary(bytes))], "\(size) bytes, mask \(mask ?? 0), cut \(cut)")
                }
            }
        }
    }

    @Test(arguments: [
        ([0xC1, 0x00], WebSocketCloseCode.protocolError),  // a reserved bit
        ([0x83, 0x00], .protocolError),  // an opcode that does not exist
        ([0x80, 0x00], .protocolError),  // a continuation of nothing
        ([0x01, 0x00, 0x01, 0x00], .protocolError),  // a message within a message
        ([0x09, 0x00], .protocolError),  // a ping in pieces
        ([0x89, 0x7E, 0x00, 0x7E], .protocolError),  // a ping of 126 bytes
        ([0x81, 0x80, 0, 0, 0, 0], .protocolError),  // masked, to a client
        ([0x88, 0x01, 0x03], .protocolError),  // half a close code
        ([0x88, 0x02, 0x03, 0xEE], .protocolError),  // 1006 is never sent
        ([0x81, 0x01, 0xFF], .invalidPayload),
        ([0x82, 0x7E, 0x04, 0x01], .tooLarge),  // known before its bytes come
        ([0x82, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .tooLarge),
    ]) func whatIsNotAllowedIsRefused(_ bytes: [UInt8], _ code: WebSocketCloseCode) throws {
        let fault = #expect(throws: WebSocketFault.self) { try Self.parsed(bytes) }
        #expect(fault?.code == code)
    }

    @Test func fragmentsTogetherAreHeldToTheLimit() throws {
        let piece = WebSocketFrame(opcode: .continuation, isFinal: false, payload: Array(repeating: 1, count: 600))
        var first = piece
        first.opcode = .binary
        let bytes = first.encoded(mask: nil) + piece.encoded(mask: nil)
        let fault = #expect(throws: WebSocketFault.self) { try Self.parsed(bytes) }
        #expect(fault?.code == .tooLarge)
    }

    /// Nothing that comes may crash it, and what it holds stays within its limit.
    @Test func anyBytesAreSurvived() {
        var numbers = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            let count = Int.random(in: 1...40, using: &numbers)
            var bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &numbers) }
            if Bool.random(using: &numbers) { bytes[0] = [0x81, 0x82, 0x01, 0x80, 0x88, 0x89][count % 6] }
            // A fault is an answer.
            _ = try? Self.parsed(bytes, cut: 3, masked: Bool.random(using: &numbers))
        }
    }

    @Test func theHandshakesExampleHolds() {
        #expect(WebSocketHandshake.accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test func messagesOfTheExecProtocolAreReadBack() throws {
        let messages: [ExecMessage] = [
            .start(ExecStart(command: ["sh"], env: ["A": "b"], terminal: ExecTerminalSize(columns: 80, rows: 24))),
            .input([0, 255]), .closeInput, .resize(ExecTerminalSize(columns: 1, rows: 2)), .started, .output([1]),
            .errors([]), .exitCode(137), .failed(ExecFailure(code: "c", message: "m", exitCode: 127)),
        ]
        for message in messages { #expect(try ExecMessage(message.message) == message) }
        for wrong: WebSocketMessage in [
            .binary([]), .binary([9, 1]), .text("{}"), .text("x"), .text(#"{"started":true,"exitCode":1}"#),
        ] {
            #expect(throws: ExecProtocolError.self) { try ExecMessage(wrong) }
        }
    }
}
