import Blueprints
import EnvironmentGraph
import Foundation
import HTTPTransport
import Testing

@testable import Gateway

/// WebSocket, and whatever else a request may turn its connection into.
@Suite(.timeLimit(.minutes(5))) struct UpgradeTests {
    private static let offer =
        "GET /chat HTTP/1.1\r\nhost: a\r\nconnection: keep-alive, Upgrade\r\nupgrade: echo/1\r\n"

    /// Switches, and then sends everything back.
    private static let switching: Origin.Script = { socket, origin in
        guard let request = Origin.readRequest(socket) else { return }
        origin.record(request)
        try socket.send(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo/1\r\n\r\nhello from \(origin.name)\n"
        )
        while true {
            let bytes = socket.receive()
            if bytes.isEmpty { return }
            try socket.send(bytes)
        }
    }

    private func withShop(
        _ script: @escaping Origin.Script = switching,
        _ body: (GatewayFixture, Int, [String: Origin]) async throws -> Void
    ) async throws {
        var origins: [String: Origin] = [:]
        for name in ["payments@shop", "payments@refunds-env"] { origins[name] = try Origin(name, script: script) }
        defer { for origin in origins.values { origin.stop() } }
        var shop = Shop(origins.mapValues(\.port))
        let port = try shop.listen(Shop.baseline, "payments")
        try await GatewayFixture.with(shop.table) { try await body($0, port, origins) }
    }

    @Test func anUpgradeIsDecidedByItsRequestAndThenBytesGoBothWays() async throws {
        try await withShop { gateway, port, origins in
            let (head, echoed) = try await onThread {
                let socket = try RawSocket.connect(port)
                // The first bytes of the new protocol come with the request, as eager clients send them.
                try socket.send(Self.offer + "x-msx-env: feat-refunds\r\n\r\nearly,")
                let head = socket.receive(until: "\r\n\r\n") ?? ""
                let greeting = socket.receive(until: "\n") ?? ""
                var text = greeting + String(decoding: socket.receive(exactly: 6), as: UTF8.self)
                for size in stride(from: 1, through: 70_000, by: 997) {
                    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ size) }
                    try socket.send(bytes)
                    guard socket.receive(exactly: size) == bytes else { return (head, "broken at \(size)") }
                }
                socket.endOutput()
                text += socket.receiveAll()
                return (head, text)
            }
            #expect(head.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
            #expect(head.contains("upgrade: echo/1\r\n") && head.contains("connection: upgrade\r\n"))
            #expect(head.contains("x-msx-provider: payments@refunds-env#r3\r\n"))
            #expect(echoed == "hello from payments@refunds-env\nearly,")
            let request = origins["payments@refunds-env"]?.requests.first ?? ""
            #expect(request.contains("x-msx-env: feat-refunds\r\n") && request.contains("upgrade: echo/1\r\n"))
            #expect(request.contains("connection: upgrade\r\n") && !request.contains("early"))
            #expect(origins["payments@shop"]?.requests.isEmpty == true)
        }
    }

    @Test func anOpenUpgradeIsUseOfItsEnvironments() async throws {
        try await withShop { gateway, port, _ in
            let socket = try await onThread {
                let socket = try RawSocket.connect(port)
                try socket.send(Self.offer + "x-msx-env: feat-refunds\r\n\r\n")
                _ = socket.receive(until: "from payments@refunds-env\n")
                return socket
            }
            let activity = await gateway.plane.activity()
            #expect(activity.environments.first { $0.environment == Shop.refunds }?.openConnections == 1)
            socket.shutDown()
        }
    }

    @Test func aServiceThatDoesNotWantToAnswersAsEver() async throws {
        try await withShop(Origin.echo) { gateway, port, origins in
            let first = try await onThread {
                let socket = try RawSocket.connect(port)
                try socket.send(Self.offer + "\r\n")
                let first = GatewayFixture.readResponse(socket)
                try socket.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                return (first, GatewayFixture.readResponse(socket))
            }
            #expect(first.0?.status == 200)
            #expect(first.1?.status == 200)
            #expect(origins["payments@shop"]?.requests.count == 2)
        }
    }

    @Test(arguments: [
        // Nobody offered.
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        // Without the connection's word, `Upgrade` says nothing.
        "GET / HTTP/1.1\r\nhost: a\r\nupgrade: echo/1\r\n\r\n",
        // The rest could be of either protocol.
        "POST / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo/1\r\ncontent-length: 2\r\n\r\nok",
        // Requests inside of it would go unseen.
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo/1, h2c\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: TLS/1.2\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: HTTP/2.0\r\n\r\n",
    ])
    func aSwitchThatWasNotAskedForIsRefused(_ request: String) async throws {
        try await withShop { gateway, port, origins in
            let reply = try await gateway.send(port, request)
            #expect(reply.status == 502)
            #expect(!reply.body.contains("hello"))
            let seen = (origins["payments@shop"]?.requests.first ?? "").lowercased()
            #expect(!seen.contains("upgrade"))
        }
    }

    @Test func aSwitchToHTTPAgainIsRefused() async throws {
        try await withShop({ socket, _ in
            _ = Origin.readRequest(socket)
            try socket.send("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n")
        }) { gateway, port, _ in
            let reply = try await gateway.send(port, Self.offer + "\r\n")
            #expect(reply.status == 502 && reply.field("x-msx-error") == "upstream_reset")
        }
    }

    @Test func webSocketMessagesOfThousandsOfSizesGoThereAndBack() async throws {
        let server = HTTPServer(address: .tcp(host: "127.0.0.1", port: 0)) { _, _ in
            .webSocket(
                WebSocketUpgrade(subprotocol: "echo.test") { socket in
                    // The client's end is the end.
                    while let message = try? await socket.receive() { try? await socket.send(message) }
                })
        }
        let (listening, continuation) = AsyncStream.makeStream(of: HTTPAddress.self)
        // Ended below, also on failure.
        let running = Task { try await server.run { continuation.yield($0) } }
        defer { running.cancel() }
        guard case .tcp(_, let origin) = await listening.first(where: { _ in true }) else { return }
        var shop = Shop(["payments@shop": origin])
        let port = try shop.listen(Shop.baseline, "payments")
        try await GatewayFixture.with(shop.table) { _ in
            let client = HTTPClient(.tcp(host: "127.0.0.1", port: port))
            guard
                case .open(let socket) = try await client.webSocket(HTTPRequest("GET", "/x"), subprotocol: "echo.test")
            else {
                Issue.record("no WebSocket")
                return
            }
            for size in 0..<2_000 {
                let message = WebSocketMessage.binary(Array(repeating: UInt8(size % 251), count: size * (size % 7)))
                try await socket.send(message)
                let back = try await socket.receive()
                guard back == message else {
                    Issue.record("broken at \(size)")
                    break
                }
            }
            await socket.close()
        }
    }
}
