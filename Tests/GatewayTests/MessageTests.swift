import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// What passes through: lengths, chunks, interim answers, versions, large bodies; and what must not.
@Suite struct MessageTests {
    private func withOrigin(
        script: @escaping Origin.Script = Origin.echo, _ body: (GatewayFixture, Int, Origin) async throws -> Void
    ) async throws {
        let origin = try Origin("payments@shop", script: script)
        defer { origin.stop() }
        var shop = Shop(["payments@shop": origin.port])
        let port = try shop.listen(Shop.baseline, "payments")
        try await GatewayFixture.with(shop.table, loops: 1) { try await body($0, port, origin) }
    }

    /// Answers every request with the same bytes and closes where they say so.
    private func answering(_ answer: String) -> Origin.Script {
        { socket, origin in
            while let request = Origin.readRequest(socket) {
                origin.record(request)
                try socket.send(answer)
                if answer.contains("connection: close") { return }
            }
        }
    }

    @Test func chunkedBodiesAndTrailersPassAsTheyAre() async throws {
        let body = "5;x=y\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n"
        try await withOrigin(script: answering("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + body)) {
            gateway, port, origin in
            let reply = try await gateway.send(
                port,
                "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            )
            #expect(reply.field("transfer-encoding") == "chunked")
            #expect(reply.head.contains("connection: close"))
            #expect(reply.body == body)
            #expect(origin.requests.first?.hasSuffix("\r\n\r\n3\r\nabc\r\n0\r\n\r\n") == true)
        }
    }

    @Test func oldClientsGetWhatTheyUnderstand() async throws {
        let answer =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"
        try await withOrigin(script: answering(answer)) { gateway, port, origin in
            let reply = try await gateway.send(port, "GET / HTTP/1.0\r\nhost: a\r\n\r\n")
            #expect(reply.status == 200)
            #expect(reply.field("transfer-encoding") == nil)
            #expect(reply.body == "hello!")
            #expect(origin.requests.first?.hasPrefix("GET / HTTP/1.1\r\n") == true)
        }
        try await withOrigin { _, port, _ in
            try await onThread {
                let socket = try RawSocket.connect(port)
                for _ in 0..<2 {
                    try socket.send("GET / HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\n\r\n")
                    #expect(GatewayFixture.readResponse(socket)?.field("connection") == "keep-alive")
                }
            }
        }
    }

    @Test func answersThatEndWithTheConnection() async throws {
        try await withOrigin(script: answering("HTTP/1.0 200 OK\r\nconnection: close\r\n\r\nuntil the end")) {
            gateway, port, _ in
            let reply = try await gateway.send(port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            #expect(reply.body == "until the end")
            #expect(reply.field("connection") == "close")
        }
    }

    @Test(arguments: [
        ("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n", 200), ("GET", "HTTP/1.1 204 No Content\r\n\r\n", 204),
        ("GET", "HTTP/1.1 304 Not Modified\r\ncontent-length: 99\r\n\r\n", 304),
        ("HEAD", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", 200),
    ])
    func answersWithoutBodyKeepTheConnection(_ method: String, _ answer: String, _ status: Int) async throws {
        try await withOrigin(script: answering(answer)) { _, port, origin in
            try await onThread {
                let socket = try RawSocket.connect(port)
                for _ in 0..<3 {
                    try socket.send("\(method) / HTTP/1.1\r\nhost: a\r\n\r\n")
                    let head = socket.receive(until: "\r\n\r\n")
                    #expect(head?.hasPrefix("HTTP/1.1 \(status) ") == true)
                }
            }
            #expect(origin.connections == 1)
        }
    }

    @Test func expectationsAreTheServicesToMeet() async throws {
        try await withOrigin(script: { socket, origin in
            guard let head = socket.receive(until: "\r\n\r\n") else { return }
            try socket.send("HTTP/1.1 100 Continue\r\n\r\n")
            origin.record(head + String(decoding: socket.receive(exactly: 4), as: UTF8.self))
            try socket.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        }) { _, port, origin in
            try await onThread {
                let socket = try RawSocket.connect(port)
                try socket.send("PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n")
                #expect(socket.receive(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
                try socket.send("body")
                #expect(socket.receive(until: "\r\n\r\n")?.hasPrefix("HTTP/1.1 200 OK") == true)
            }
            #expect(origin.requests.first?.hasSuffix("body") == true)
            #expect(origin.requests.first?.contains("expect: 100-continue") == true)
        }
    }

    @Test func anEarlyAnswerReachesTheClient() async throws {
        try await withOrigin(script: { socket, _ in
            _ = socket.receive(until: "\r\n\r\n")
            try socket.send("HTTP/1.1 413 Content Too Large\r\ncontent-length: 5\r\nconnection: close\r\n\r\nlarge")
        }) { gateway, port, _ in
            let reply = try await gateway.send(
                port, "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\nsome of it")
            #expect(reply.status == 413)
            #expect(reply.body == "large")
        }
    }

    @Test func tunnelsByRequestAreNotBuilt() async throws {
        try await withOrigin { gateway, port, origin in
            let reply = try await gateway.send(port, "CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n")
            #expect(reply.status == 501)
            #expect(reply.field("x-msx-error") == "not_supported_yet")
            #expect(origin.requests.isEmpty)
        }
    }

    @Test func aServiceCannotSpeakForTheGateway() async throws {
        let answer =
            "HTTP/1.1 503 X\r\nx-msx-error: no_endpoint\r\nX-Msx-Provider: other@env#r1\r\ncontent-length: 0\r\n\r\n"
        try await withOrigin(script: answering(answer)) { gateway, port, _ in
            let reply = try await gateway.get(port, [])
            #expect(reply.status == 503)
            #expect(reply.field("x-msx-error") == nil)
            #expect(reply.field("x-msx-provider") == "payments@shop#r12")
        }
    }

    static let smuggled = "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n"

    @Test(arguments: [
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: x\r\n\r\n0\r\n\r\n" + smuggled,
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n" + smuggled,
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\ncontent-length: 40\r\n\r\n" + smuggled,
        "POST / HTTP/1.1\r\nhost: a\r\nx: \r\n content-length: 0\r\n\r\n" + smuggled,
        "POST / HTTP/1.1\r\nhost: a\nx: y\r\n\r\n" + smuggled,
        "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n" + smuggled, "GET / HTTP/1.1\r\n\r\n" + smuggled,
        "GET / HTTP/1.1\r\nhost: a\r\nx: a\rb\r\n\r\n" + smuggled,
    ])
    func whatTwoParsersCouldReadDifferentlyReachesNoService(_ input: String) async throws {
        try await withOrigin { gateway, port, origin in
            let reply = try await gateway.send(port, input)
            #expect(reply.status == 400)
            #expect(reply.field("x-msx-error") == "bad_request")
            #expect(reply.field("connection") == "close")
            #expect(!reply.body.contains("HTTP/1.1"))
            #expect(origin.requests.isEmpty)
        }
    }

    @Test(arguments: ["zz\r\n", "5\r\nhelloX\r\n", "3\nabc\r\n", "0\r\ncontent-length: 4\r\n\r\n"])
    func badChunksEndTheRequest(_ chunk: String) async throws {
        try await withOrigin { gateway, port, origin in
            let reply = try await gateway.send(
                port, "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n" + chunk + Self.smuggled)
            #expect(reply.status == 400)
            #expect(!reply.body.contains("HTTP/1.1"))
            #expect(origin.requests.isEmpty)
        }
    }

    @Test func aHeadThatIsTooLarge() async throws {
        try await withOrigin { gateway, port, _ in
            let reply = try await gateway.send(
                port, "GET / HTTP/1.1\r\nhost: a\r\nx: \(String(repeating: "a", count: 70_000))\r\n\r\n")
            #expect(reply.status == 431)
            #expect(reply.field("x-msx-error") == "head_too_large")
        }
    }

    /// Seeded: whatever a client sends on one connection, the service never sees more requests than were sent.
    @Test func mutatedRequestsNeverMultiply() async throws {
        try await withOrigin { _, port, origin in
            let seeds = [
                "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello",
                "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            ]
            let pieces = [
                "\r", "\n", "\r\n", " ", "\t", ":", "\0", "content-length: 3\r\n", "transfer-encoding: chunked\r\n",
                "0\r\n\r\n",
            ]
            try await onThread {
                var state: UInt64 = 7
                func next(_ below: Int) -> Int {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return Int(state >> 33) % below
                }
                for _ in 0..<400 {
                    var bytes = Array(seeds[next(seeds.count)].utf8)
                    for _ in 0...next(2) {
                        bytes.insert(contentsOf: pieces[next(pieces.count)].utf8, at: next(bytes.count))
                    }
                    let before = origin.requests.count
                    let socket = try RawSocket.connect(port)
                    try socket.send(bytes)
                    socket.endOutput()
                    _ = socket.receiveAll()
                    let after = origin.requests.count
                    #expect(after - before <= 1, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
                }
            }
            #expect(origin.requests.count > 20)
        }
    }

    @Test func largeBodiesStreamInBoundedMemory() async throws {
        let size = 256 << 20
        try await withOrigin(script: { socket, origin in
            guard socket.receive(until: "\r\n\r\n") != nil else { return }
            var left = size
            while left > 0 {
                let count = socket.receive(min(left, 1 << 18)).count
                if count == 0 { return }
                left -= count
            }
            try socket.send("HTTP/1.1 200 OK\r\ncontent-length: \(size)\r\n\r\n")
            let chunk = [UInt8](repeating: 2, count: 1 << 18)
            for _ in 0..<(size >> 18) { try socket.send(chunk) }
        }) { _, port, _ in
            let growth = try await leastGrowth(under: 64 << 20) { _ in
                try await onThread {
                    var peak = 0
                    let socket = try RawSocket.connect(port)
                    try socket.send("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: \(size)\r\n\r\n")
                    let chunk = [UInt8](repeating: 1, count: 1 << 18)
                    for number in 0..<(size >> 18) {
                        try socket.send(chunk)
                        if number % 64 == 0 { peak = max(peak, residentBytes()) }
                    }
                    #expect(socket.receive(until: "\r\n\r\n")?.hasPrefix("HTTP/1.1 200") == true)
                    var left = size
                    while left > 0 {
                        let count = socket.receive(min(left, 1 << 18)).count
                        guard count > 0 else { break }
                        left -= count
                        if left % (1 << 24) < 1 << 16 { peak = max(peak, residentBytes()) }
                    }
                    #expect(left == 0)
                    return peak
                }
            }
            #expect(growth < 64 << 20)
        }
    }
}
