import Foundation
import HTTPTransport
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct WebSocketTests {
    private static let subprotocol = "echo.test"

    /// Answers every message with itself.
    private static let echo: HTTPServer.Handler = { _, _ in
        .webSocket(
            WebSocketUpgrade(subprotocol: subprotocol) { socket in
                // The client's end is the end.
                while let message = try? await socket.receive() { try? await socket.send(message) }
            })
    }

    private static func open(_ address: HTTPAddress) async throws -> WebSocket {
        let answer = try await HTTPClient(address).webSocket(HTTPRequest("GET", "/x"), subprotocol: subprotocol)
        guard case .open(let socket) = answer else { throw Unexpected(what: "\(answer)") }
        return socket
    }

    @Test(arguments: [false, true]) func messagesGoThereAndBack(_ overUnixSocket: Bool) async throws {
        try await withTemporaryFolder { folder in
            let address: HTTPAddress =
                overUnixSocket ? .unix(path: folder + "/s") : .tcp(host: "127.0.0.1", port: 0)
            try await withServer(on: address, handler: Self.echo) { address in
                let socket = try await Self.open(address)
                for size in [0, 1, 126, 70_000, 256 << 10] {
                    let message = WebSocketMessage.binary(Array(repeating: UInt8(size % 251), count: size))
                    try await socket.send(message)
                    let back = try await socket.receive()
                    #expect(back == message)
                }
                try await socket.send(.text("grüß"))
                let text = try await socket.receive()
                #expect(text == .text("grüß"))
                await socket.close()
                let end = try await socket.receive()
                #expect(end == nil)
            }
        }
    }

    @Test func theServersEndIsSeenAfterWhatItSaid() async throws {
        let handler: HTTPServer.Handler = { _, _ in
            .webSocket(
                WebSocketUpgrade(subprotocol: Self.subprotocol) { socket in
                    for number in 0..<100 { try? await socket.send(.text("\(number)")) }  // Else seen below.
                })
        }
        try await withServer(handler: handler) { address in
            let socket = try await Self.open(address)
            for number in 0..<100 {
                let message = try await socket.receive()
                #expect(message == .text("\(number)"))
            }
            let end = try await socket.receive()
            let code = await socket.closeCode
            #expect(end == nil)
            #expect(code == .normal)
        }
    }

    @Test func aRequestThatAsksForNoneIsTold() async throws {
        try await withServer(handler: Self.echo) { address in
            let plain = try await HTTPClient(address).send(HTTPRequest("GET", "/x"))
            #expect(plain.status == 426)
            #expect(plain.fields["upgrade"] == "websocket")
            let other = try await HTTPClient(address).webSocket(HTTPRequest("GET", "/x"), subprotocol: "other")
            guard case .refused(let reply) = other else { throw Unexpected(what: "\(other)") }
            #expect(reply.status == 426)
            #expect(text(reply.body).contains("upgrade_required"))
        }
    }

    @Test func aRefusalIsReadWhole() async throws {
        let handler: HTTPServer.Handler = { _, _ in HTTPResponse(status: 409, body: .bytes(Array("no".utf8))) }
        try await withServer(handler: handler) { address in
            let answer = try await HTTPClient(address).webSocket(HTTPRequest("GET", "/x"), subprotocol: "x")
            guard case .refused(let reply) = answer else { throw Unexpected(what: "\(answer)") }
            #expect(reply.status == 409)
            #expect(text(reply.body) == "no")
        }
    }

    /// A reader that does not read holds the sender up: what is under way is what the kernel and one inbox hold.
    @Test func aSlowReaderHoldsTheSenderUp() async throws {
        let sent = Shared(0)
        let handler: HTTPServer.Handler = { _, _ in
            .webSocket(
                WebSocketUpgrade(subprotocol: Self.subprotocol) { socket in
                    let piece = WebSocketMessage.binary(Array(repeating: 7, count: 32 << 10))
                    while (try? await socket.send(piece)) != nil { sent.change { $0 += 32 << 10 } }
                })
        }
        try await withTemporaryFolder { folder in
            try await withServer(on: .unix(path: folder + "/s"), handler: handler) { address in
                let socket = try await Self.open(address)
                var last = -1
                try await eventually("the sender's standstill", every: .milliseconds(200)) {
                    let now = sent.value
                    defer { last = now }
                    return now > 0 && now == last ? true : nil
                }
                #expect(sent.value < 4 << 20)
                for _ in 0..<400 { _ = try await socket.receive() }
                #expect(sent.value > 8 << 20)
            }
        }
    }

    /// What the client breaks is told with a close code, and the server lives.
    @Test func aClientThatBreaksTheProtocolIsTold() async throws {
        let ended = Shared(false)
        let handler: HTTPServer.Handler = { _, _ in
            .webSocket(
                WebSocketUpgrade(subprotocol: Self.subprotocol, maxMessageBytes: 1000) { socket in
                    await socket.untilClosed()
                    ended.change { $0 = true }
                })
        }
        try await withServer(handler: handler) { address in
            let connection = try RawConnection(to: address)
            connection.write(
                "GET /x HTTP/1.1\r\nhost: a\r\nconnection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\n"
                    + "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                    + "sec-websocket-protocol: other, echo.test\r\n\r\n")
            let head = try await connection.read(until: "\r\n\r\n")
            #expect(head.hasPrefix("HTTP/1.1 101"))
            #expect(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
            connection.write("\u{1}\u{1}x")  // Not masked.
            let rest = try await connection.readToEnd()
            #expect(rest.utf8.contains(0x03))
            try await eventually("the end") { ended.value ? true : nil }
            let socket = try await Self.open(address)
            try await socket.send(.binary(Array(repeating: 0, count: 1001)))
            let end = try await socket.receive()
            let code = await socket.closeCode
            #expect(end == nil)
            #expect(code == .tooLarge)
        }
    }

    @Test func aStoppedServerSaysSo() async throws {
        let opened = Shared<WebSocket?>(nil)
        try await withServer(handler: Self.echo) { address in
            let socket = try await Self.open(address)
            opened.change { $0 = socket }
        }
        let socket = try #require(opened.value)
        let end = try await socket.receive()
        let code = await socket.closeCode
        #expect(end == nil)
        #expect(code == .goingAway)
    }

    @Test func aClientThatIsGoneEndsTheServersTask() async throws {
        let ended = Shared(false)
        let handler: HTTPServer.Handler = { _, _ in
            .webSocket(
                WebSocketUpgrade(subprotocol: Self.subprotocol) { socket in
                    // Ends with the error that the broken connection gives.
                    while (try? await socket.send(.binary(Array(repeating: 0, count: 1 << 16)))) != nil {}
                    ended.change { $0 = true }
                })
        }
        try await withServer(handler: handler) { address in
            let socket = try await Self.open(address)
            _ = try await socket.receive()
            socket.abort()
            try await eventually("the end") { ended.value ? true : nil }
        }
    }
}
