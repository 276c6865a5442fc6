import EnvironmentGraph
import Foundation
import TestSupport
import Testing

@testable import Gateway

/// Requests and connections for what starts or sleeps wait in the gateway until a table says that it is ready.
@Suite(.timeLimit(.minutes(5))) struct WaitingTests {
    /// A shop whose baseline sleeps, with an overlay that runs nothing of its own.
    private static func shop(_ copies: [String: Int], ready: Bool, version: UInt64) -> Shop {
        var shop = Shop(copies, version: version)
        guard !ready else { return shop }
        shop.table.environments[0].state = .failed
        shop.table.environments[0].wakes = true
        for index in shop.table.environments[0].services.indices {
            shop.table.environments[0].services[index].ready = false
        }
        return shop
    }

    private func withSleeper(
        limits: GatewayLimits = GatewayLimits(), isTCP: Bool = false, script: @escaping Origin.Script = Origin.echo,
        _ body: (GatewayFixture, Int, Origin, RoutingTable) async throws -> Void
    ) async throws {
        let origin = try Origin("payments@shop", script: script)
        defer { origin.stop() }
        let copies = ["payments@shop": origin.port]
        var asleep = Self.shop(copies, ready: false, version: 1)
        let port = try asleep.listen(Shop.refunds, "payments", isTCP: isTCP)
        var awake = Self.shop(copies, ready: true, version: 2)
        awake.table.listeners = asleep.table.listeners
        try await GatewayFixture.with(asleep.table, limits: limits) { try await body($0, port, origin, awake.table) }
    }

    private static let wanted = [WantedCopy(environment: Shop.baseline, service: "payments")]

    /// Bodies, pipelining and keep-alive as ever, only later; and every request once.
    @Test func requestsWaitAndThenGoThrough() async throws {
        try await withSleeper { gateway, port, origin, awake in
            let text =
                "POST /1 HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc"
                + "PUT /2 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n"
                + "GET /3 HTTP/1.1\r\nhost: a\r\n\r\n"
            async let replies = onThread {
                let socket = try RawSocket.connect(port)
                try socket.send(text)
                return (0..<3).map { _ in GatewayFixture.readResponse(socket)?.status ?? 0 }
            }
            let reply = await gateway.plane.wanted(since: 0, within: .seconds(10))
            #expect(reply.wanted == Self.wanted)
            #expect(origin.requests.isEmpty)
            let activity = await gateway.plane.activity()
            #expect(activity.quietSince(Shop.baseline) == nil)
            try await gateway.apply(awake)
            let statuses = try await replies
            #expect(statuses == [200, 200, 200])
            let bodies = origin.requests.map { String($0.suffix(17)) }
            #expect(bodies.count == 3)
            #expect(bodies.first?.hasSuffix("\r\n\r\nabc") == true)
            let after = await gateway.plane.wanted(since: nil, within: .zero)
            #expect(after.wanted.isEmpty)
        }
    }

    @Test func manyWaitAndAreAllAnswered() async throws {
        try await withSleeper { gateway, port, origin, awake in
            async let statuses = onThread {
                let sockets = try (0..<200).map { _ in try RawSocket.connect(port) }
                for (number, socket) in sockets.enumerated() {
                    try socket.send("GET /\(number) HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                }
                return sockets.map { GatewayFixture.readResponse($0)?.status ?? 0 }
            }
            try await eventually("all of them wait") {
                await gateway.plane.activity().environments.first { $0.environment == Shop.baseline }?.openRequests
                    == 200
                    ? true : nil
            }
            // A table that changes nothing for them.
            var still = Self.shop(["payments@shop": origin.port], ready: false, version: 2).table
            still.listeners = awake.listeners
            try await gateway.apply(still)
            #expect(origin.requests.isEmpty)
            var last = awake
            last.version = 3
            try await gateway.apply(last)
            let all = try await statuses
            #expect(all.allSatisfy { $0 == 200 })
            #expect(Set(origin.requests.compactMap { $0.split(separator: " ").dropFirst().first }).count == 200)
            #expect(origin.requests.count == 200)
        }
    }

    @Test func whoeverWaitsTooLongIsTold() async throws {
        var limits = GatewayLimits()
        limits.wakeTimeout = .milliseconds(300)
        try await withSleeper(limits: limits) { gateway, port, origin, _ in
            let reply = try await gateway.send(port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            #expect(reply.status == 503)
            #expect(reply.field("x-msx-error") == "starting")
            #expect(reply.field("retry-after") == "1")
            #expect(origin.requests.isEmpty)
        }
    }

    @Test func whatWaitsHasALimit() async throws {
        var limits = GatewayLimits()
        limits.maxWaiting = 2
        try await withSleeper(limits: limits) { gateway, port, _, awake in
            let sockets = try await onThread {
                try (0..<6).map { _ in
                    let socket = try RawSocket.connect(port)
                    try socket.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                    return socket
                }
            }
            try await eventually("some wait") {
                await gateway.plane.activity().environments.first { $0.environment == Shop.baseline }?.openRequests == 2
                    ? true : nil
            }
            try await gateway.apply(awake)
            let replies = try await onThread { sockets.map { GatewayFixture.readResponse($0) } }
            #expect(replies.count { $0?.status == 200 } == 2)
            #expect(replies.count { $0?.field("x-msx-error") == "overloaded" } == 4)
        }
    }

    @Test(arguments: [false, true]) func whoeverGoesAwayWantsNothing(_ isTCP: Bool) async throws {
        try await withSleeper(isTCP: isTCP) { gateway, port, origin, awake in
            let socket = try await onThread {
                let socket = try RawSocket.connect(port)
                try socket.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc")
                return socket
            }
            try await eventually("it waits") {
                await gateway.plane.wanted(since: nil, within: .zero).wanted == Self.wanted ? true : nil
            }
            socket.shutDown()
            try await eventually("nobody waits") {
                await gateway.plane.wanted(since: nil, within: .zero).wanted.isEmpty ? true : nil
            }
            try await gateway.apply(awake)
            let reply = try await gateway.send(port, "GET /next HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            #expect(reply.status == 200)
            #expect(origin.requests.count == 1)
        }
    }

    @Test func connectionsWaitToo() async throws {
        try await withSleeper(
            isTCP: true,
            script: { socket, _ in
                try socket.send("hello " + String(decoding: socket.receive(exactly: 3), as: UTF8.self))
            }
        ) { gateway, port, _, awake in
            async let text = onThread {
                let socket = try RawSocket.connect(port)
                try socket.send("you")
                return String(decoding: socket.receive(exactly: 9), as: UTF8.self)
            }
            let reply = await gateway.plane.wanted(since: 0, within: .seconds(10))
            #expect(reply.wanted == Self.wanted)
            try await gateway.apply(awake)
            let got = try await text
            #expect(got == "hello you")
        }
    }

    /// It became an error, or is gone: nobody waits for that.
    @Test func whatWillNotComeIsSaidAtOnce() async throws {
        try await withSleeper { gateway, port, _, awake in
            async let reply = gateway.send(port, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            _ = await gateway.plane.wanted(since: 0, within: .seconds(10))
            var failed = awake
            failed.environments[0].state = .failed
            try await gateway.apply(failed)
            let text = try await reply
            #expect(text.field("x-msx-error") == "no_endpoint")
        }
    }

    @Test func aGatewayThatStopsTellsWhoWaits() async throws {
        try await withSleeper { gateway, port, _, _ in
            async let reply = gateway.send(port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            _ = await gateway.plane.wanted(since: 0, within: .seconds(10))
            await gateway.plane.shutDown()
            let text = try await reply
            #expect(text.field("x-msx-error") == "starting")
        }
    }

    /// An overlay that is being created: the request waits, and nobody else answers it. Only a caller that is starting itself
    /// is told at once, because what it calls may wait for it in turn.
    @Test(arguments: [true, false]) func whatIsBeingCreatedIsWaitedFor(_ callerIsReady: Bool) async throws {
        let base = try Origin("payments@shop")
        let own = try Origin("payments@refunds-env")
        defer {
            base.stop()
            own.stop()
        }
        var shop = Shop([
            "payments@shop": base.port, "payments@refunds-env": own.port, "checkout@refunds-env": own.port,
        ])
        let port = try shop.listen(Shop.refunds, "payments", caller: .service("checkout"))
        let created = shop.table
        shop.table.environments[1].state = .starting
        for index in shop.table.environments[1].services.indices {
            let isCaller = shop.table.environments[1].services[index].name == "checkout"
            shop.table.environments[1].services[index].ready = isCaller && callerIsReady
        }
        try await GatewayFixture.with(shop.table) { gateway in
            async let reply = gateway.send(port, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            if callerIsReady { _ = await gateway.plane.wanted(since: 0, within: .seconds(10)) }
            var last = created
            last.version = 2
            if callerIsReady { try await gateway.apply(last) }
            let got = try await reply
            #expect(got.status == (callerIsReady ? 200 : 503))
            #expect(got.field("x-msx-error") == (callerIsReady ? nil : "starting"))
            #expect(base.requests.isEmpty)
        }
    }
}
