import EnvironmentGraph
import Foundation
import TestSupport
import Testing

@testable import Gateway

/// A connection stays with whom it was made to, and an end looks like what it is.
@Suite struct OwnershipTests {
    private let get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n"

    private func withOrigin(
        script: @escaping Origin.Script = Origin.echo, _ body: (GatewayFixture, Int, Origin) async throws -> Void
    ) async throws {
        let origin = try Origin("payments@shop", script: script)
        defer { origin.stop() }
        var shop = Shop(["payments@shop": origin.port])
        let port = try shop.listen(Shop.baseline, "payments")
        try await GatewayFixture.with(shop.table, loops: 1) { try await body($0, port, origin) }
    }

    @Test func anOpenConnectionIsNeverAnsweredByTheNextOwnerOfItsPort() async throws {
        let (mine, theirs) = (try Origin("payments@shop"), try Origin("orders@refunds-env"))
        defer { for origin in [mine, theirs] { origin.stop() } }
        var shop = Shop(["payments@shop": mine.port, "orders@refunds-env": theirs.port])
        let port = try shop.listen(Shop.baseline, "payments")
        var next = shop.table
        next.version = 2
        next.listeners = [RoutedListener(port: port, environment: Shop.refunds, caller: .edge, service: "orders")]
        try await GatewayFixture.with(shop.table, loops: 1) { gateway in
            let socket = try await onThread {
                let socket = try RawSocket.connect(port)
                try socket.send(self.get)
                #expect(GatewayFixture.readResponse(socket)?.body.hasPrefix("payments@shop") == true)
                return socket
            }
            try await gateway.apply(next)
            let (rest, fresh) = try await onThread {
                // It may be closed already; what counts is that nobody else answers on it.
                try? socket.send(self.get)
                let rest = socket.receiveAll()
                let other = try RawSocket.connect(port)
                try other.send(self.get)
                return (rest, GatewayFixture.readResponse(other)?.body ?? "")
            }
            #expect(!rest.contains("200 OK"))
            #expect(fresh.hasPrefix("orders@refunds-env"))
        }
        #expect(theirs.requests.count == 1)
    }

    @Test func anEarlierCopysConnectionIsNotUsedForTheNextOneAtItsAddress() async throws {
        let origin = try Origin("payments@shop")
        defer { origin.stop() }
        var shop = Shop(["payments@shop": origin.port])
        let port = try shop.listen(Shop.baseline, "payments")
        try await GatewayFixture.with(shop.table, loops: 1) { gateway in
            _ = try await gateway.get(port)
            let before = origin.connections
            var next = shop.table
            next.version = 2
            next.environments[0].revision += 1
            try await gateway.apply(next)
            #expect(try await gateway.get(port).field("x-msx-provider") == "payments@shop#r13")
            #expect(origin.connections == before + 1)
        }
    }

    @Test(arguments: ["GET", "DELETE"])
    func whatAServiceHadBeforeItBrokeOffIsNotRepeated(_ method: String) async throws {
        try await withOrigin(script: { socket, origin in
            guard let first = Origin.readRequest(socket) else { return }
            origin.record(first)
            try socket.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            guard let second = Origin.readRequest(socket) else { return }
            origin.record(second)
            // It works for a while, and dies of it.
            poll(nil, 0, 150)
            socket.resetOnClose()
        }) { _, port, origin in
            let reply = try await onThread {
                let socket = try RawSocket.connect(port)
                try socket.send(self.get)
                #expect(GatewayFixture.readResponse(socket)?.status == 200)
                try socket.send("\(method) /crash HTTP/1.1\r\nhost: a\r\n\r\n")
                return GatewayFixture.readResponse(socket)
            }
            #expect(reply?.status == 502)
            #expect(reply?.field("x-msx-error") == "upstream_reset")
            #expect(origin.requests.count == 2)
        }
    }

    @Test func aConnectionThatItsServiceClosedWhileUnusedIsReplacedWithoutAWord() async throws {
        try await withOrigin { gateway, port, origin in
            let status = try await onThread {
                let socket = try RawSocket.connect(port)
                var statuses: [Int] = []
                for _ in 0..<5 {
                    try socket.send("DELETE / HTTP/1.1\r\nhost: a\r\n\r\n")
                    statuses.append(GatewayFixture.readResponse(socket)?.status ?? 0)
                    origin.closeConnections()
                    // Longer than a connection is trusted without being asked.
                    poll(nil, 0, 600)
                }
                return statuses
            }
            #expect(status == [200, 200, 200, 200, 200])
        }
    }

    @Test func anAnswerWithoutLengthThatBreaksOffDoesNotLookWhole() async throws {
        try await withOrigin(script: { socket, origin in
            guard Origin.readRequest(socket) != nil else { return }
            try socket.send("HTTP/1.1 200 OK\r\n\r\nhalf")
            poll(nil, 0, 100)
            socket.resetOnClose()
        }) { _, port, _ in
            let isReset = try await onThread {
                let socket = try RawSocket.connect(port)
                try socket.send(self.get)
                _ = socket.receive(until: "half")
                return socket.waitForReset()
            }
            #expect(isReset)
        }
    }

    @Test func aClientThatSendsWithoutReadingCostsNoMemory() async throws {
        try await withOrigin { gateway, port, _ in
            let growth = try await leastGrowth(under: 48 << 20) { _ in
                try await onThread {
                    let socket = try RawSocket.connect(port)
                    let many = Array(
                        String(repeating: "GET /x HTTP/1.1\r\nhost: a\r\nx-msx-env: nobody\r\n\r\n", count: 500).utf8)
                    var sent = 0
                    // Until the gateway takes no more for half a second.
                    while sent < 64 << 20, socket.canSend(within: 500) { sent += socket.sendSome(many) }
                    #expect(sent < 64 << 20)
                    return residentBytes()
                }
            }
            #expect(growth < 48 << 20)
        }
    }

    @Test(arguments: ["baggage: msx-env", "baggage: Msx-Env=feat-refunds", "tracestate: MSX=feat-refunds"])
    func aMangledMemberOfOursIsRefusedAndNotIgnored(_ field: String) async throws {
        try await withOrigin { gateway, port, origin in
            let reply = try await gateway.get(port, [field])
            #expect(reply.status == 400)
            #expect(reply.field("x-msx-error") == "bad_context")
            #expect(origin.requests.isEmpty)
        }
    }

    @Test func anOfferToUpgradeToHTTP2IsDeclinedInSilence() async throws {
        try await withOrigin { gateway, port, _ in
            let reply = try await gateway.send(
                port,
                "GET / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade, HTTP2-Settings, close\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n\r\n"
            )
            #expect(reply.status == 200)
            #expect(!reply.body.contains("http2-settings"))
            #expect(!reply.body.lowercased().contains("upgrade"))
        }
    }
}

/// Of this process.
