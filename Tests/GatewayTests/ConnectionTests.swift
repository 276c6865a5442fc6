import EnvironmentGraph
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// Connections: reuse, order, breaking off, limits.
@Suite struct ConnectionTests {
    /// One service, one listener.
    private func withOrigin(
        limits: GatewayLimits = GatewayLimits(), loops: Int = 1, script: @escaping Origin.Script = Origin.echo,
        _ body: (GatewayFixture, Int, Origin) async throws -> Void
    ) async throws {
        let origin = try Origin("payments@shop", script: script)
        defer { origin.stop() }
        var shop = Shop(["payments@shop": origin.port])
        let port = try shop.listen(Shop.baseline, "payments")
        try await GatewayFixture.with(shop.table, limits: limits, loops: loops) { try await body($0, port, origin) }
    }

    private let get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n"

    @Test func connectionsAreReused() async throws {
        try await withOrigin { _, port, origin in
            for _ in 0..<5 {
                try await onThread {
                    let socket = try RawSocket.connect(port)
                    for _ in 0..<4 {
                        try socket.send(self.get)
                        #expect(GatewayFixture.readResponse(socket)?.status == 200)
                    }
                }
            }
            #expect(origin.requests.count == 20)
            #expect(origin.connections == 1)
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrderEachByItsOwnDecision() async throws {
        let base = try Origin("payments@shop")
        let overlay = try Origin("payments@refunds-env")
        defer {
            base.stop()
            overlay.stop()
        }
        var shop = Shop(["payments@shop": base.port, "payments@refunds-env": overlay.port])
        let port = try shop.listen(Shop.baseline, "payments")
        try await GatewayFixture.with(shop.table) { _ in
            var text = ""
            var expected: [String] = []
            for number in 0..<200 {
                let (context, provider) = [
                    ("", "payments@shop#r12"), ("x-msx-env: feat-refunds\r\n", "payments@refunds-env#r3"),
                    ("x-msx-env: nobody\r\n", "unknown_environment"),
                ][number % 3]
                let body = number % 5 == 0 ? "content-length: 3\r\n\r\nabc" : "\r\n"
                guard number % 5 != 0 || number % 3 != 2 else { continue }
                text += "POST /\(number) HTTP/1.1\r\nhost: a\r\n\(context)\(body)"
                expected.append(provider)
            }
            let (sent, count) = (text, expected.count)
            let replies = try await onThread {
                let socket = try RawSocket.connect(port)
                try socket.send(sent)
                return (0..<count).map { _ in
                    let reply = GatewayFixture.readResponse(socket)
                    return reply?.field("x-msx-provider") ?? reply?.field("x-msx-error") ?? ""
                }
            }
            #expect(replies == expected.map { $0 })
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello", "nonsense\r\n\r\n", "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n", "",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ])
    func aBrokenAnswerIsTheGatewaysToExplain(_ answer: String) async throws {
        try await withOrigin(script: { socket, _ in
            _ = Origin.readRequest(socket)
            try socket.send(answer)
        }) { gateway, port, _ in
            let reply = try await gateway.get(port, [])
            #expect(reply.status == 502)
            #expect(reply.field("x-msx-error") == "upstream_reset")
            #expect(reply.field("x-msx-provider") == nil)
        }
    }

    @Test func whatComesAfterAnAnswerReachesNobody() async throws {
        try await withOrigin(script: { socket, _ in
            while Origin.readRequest(socket) != nil {
                try socket.send(
                    "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison")
            }
        }) { _, port, origin in
            try await onThread {
                let socket = try RawSocket.connect(port)
                try socket.send(self.get + self.get + self.get)
                for _ in 0..<3 { #expect(GatewayFixture.readResponse(socket)?.status == 204) }
            }
            #expect(origin.connections == 3)
        }
    }

    @Test func nobodyListens() async throws {
        try await withOrigin { gateway, port, origin in
            origin.stop()
            try await eventually("the origin's port is closed") { () -> Bool? in
                do {
                    _ = try RawSocket.connect(origin.port)
                    return nil
                } catch { return true }
            }
            let reply = try await gateway.get(port, [])
            #expect(reply.status == 502)
            #expect(reply.field("x-msx-error") == "connect_failed")
        }
    }

    @Test func timeouts() async throws {
        var limits = GatewayLimits()
        limits.headTimeout = .milliseconds(900)
        limits.responseTimeout = .milliseconds(900)
        limits.streamTimeout = .milliseconds(900)
        limits.keepAliveTimeout = .milliseconds(900)
        try await withOrigin(
            limits: limits,
            script: { socket, _ in
                guard let request = Origin.readRequest(socket) else { return }
                if request.contains("/body") { try socket.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf") }
                _ = socket.receiveAll()
            }
        ) { gateway, port, _ in
            let reply = try await gateway.get(port, [])
            #expect(reply.status == 504)
            #expect(reply.field("x-msx-error") == "response_timeout")
            let half = try await gateway.send(port, "GET /body HTTP/1.1\r\nhost: a\r\n\r\n")
            #expect(half.body == "half")
            let slow = try await gateway.send(port, "GET / HTTP/1.1\r\nho")
            #expect(slow.status == 408)
            #expect(slow.field("x-msx-error") == "request_timeout")
            #expect(try await gateway.send(port, "").head == "")
        }
    }

    @Test func tooManyRequestsInFlight() async throws {
        var limits = GatewayLimits()
        limits.maxRequests = 1
        limits.maxConnections = 3
        try await withOrigin(
            limits: limits,
            script: { socket, origin in
                guard let request = Origin.readRequest(socket) else { return }
                origin.record(request)
                _ = socket.receiveAll()
            }
        ) { gateway, port, origin in
            let first = try await onThread {
                let socket = try RawSocket.connect(port)
                try socket.send(self.get)
                return socket
            }
            try await eventually("the first request is in flight") { origin.requests.count == 1 ? true : nil }
            for _ in 0..<2 {
                let reply = try await gateway.get(port, [])
                #expect(reply.status == 503)
                #expect(reply.field("x-msx-error") == "overloaded")
                #expect(reply.field("retry-after") == "1")
            }
            let idle = try await onThread { try (0..<2).map { _ in try RawSocket.connect(port) } }
            let refused = try await gateway.send(port, "")
            #expect(refused.field("x-msx-error") == "overloaded")
            origin.closeConnections()
            first.shutDown()
            for socket in idle { socket.shutDown() }
        }
    }

    @Test func aClientThatLeavesEndsTheRequest() async throws {
        let ended = Mutex(false)
        try await withOrigin(script: { socket, origin in
            guard let head = socket.receive(until: "\r\n\r\n") else { return }
            origin.record(head)
            _ = socket.receiveAll()
            ended.withLock { $0 = true }
        }) { _, port, origin in
            let client = try await onThread {
                let socket = try RawSocket.connect(port)
                try socket.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nabc")
                return socket
            }
            try await eventually("the copy has the head") { origin.requests.count == 1 ? true : nil }
            client.shutDown()
            try await eventually("the copy's connection is closed", within: .seconds(5)) {
                ended.withLock { $0 ? true : nil }
            }
        }
    }

    @Test func aHalfClosedClientStillGetsItsAnswer() async throws {
        try await withOrigin { _, port, _ in
            let text = try await onThread {
                let socket = try RawSocket.connect(port)
                try socket.send(self.get)
                socket.endOutput()
                return socket.receiveAll()
            }
            #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        }
    }

    @Test func stoppingLetsRequestsFinish() async throws {
        let release = DispatchSemaphore(value: 0)
        try await withOrigin(script: { socket, origin in
            guard let request = Origin.readRequest(socket) else { return }
            origin.record(request)
            release.wait()
            try socket.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone")
        }) { gateway, port, origin in
            async let reply = gateway.send(port, self.get)
            try await eventually("the request is in flight") { origin.requests.count == 1 ? true : nil }
            async let stopped: Void = gateway.plane.shutDown()
            try await eventually("no new connection is accepted") { () -> Bool? in
                do {
                    _ = try RawSocket.connect(port)
                    return nil
                } catch { return true }
            }
            release.signal()
            #expect(try await reply.body == "done")
            await stopped
        }
    }

    @Test func tcpIsForwardedBothWaysWithEachEndByItself() async throws {
        let origin = try Origin("db@shop") { socket, origin in
            // Says something first, as databases do, then answers only when the client has ended.
            try socket.send("hello ")
            let text = socket.receiveAll()
            origin.record(text)
            try socket.send("got \(text.utf8.count)")
        }
        defer { origin.stop() }
        var shop = Shop(["db@shop": origin.port])
        let port = try shop.listen(Shop.refunds, "db", caller: .service("checkout"), isTCP: true)
        try await GatewayFixture.with(shop.table) { gateway in
            let text = try await onThread {
                let socket = try RawSocket.connect(port)
                try socket.send([UInt8](repeating: 7, count: 1 << 20))
                socket.endOutput()
                return socket.receiveAll()
            }
            #expect(text == "hello got \(1 << 20)")
            let counts = await gateway.plane.counts().calls
            #expect(
                counts == [
                    CallCount(
                        caller: "checkout", callerEnvironment: Shop.refunds, service: "db", context: Shop.refunds,
                        provider: Shop.baseline, error: nil, count: 1)
                ])
        }
    }
}
