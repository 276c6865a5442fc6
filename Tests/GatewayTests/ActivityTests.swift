import EnvironmentGraph
import Foundation
import TestSupport
import Testing

@testable import Gateway

/// The time of the last request and what is open, for whoever stops what is idle.
@Suite struct ActivityTests {
    private func entry(_ id: EnvironmentID, _ gateway: GatewayFixture) async -> EnvironmentActivity? {
        await gateway.plane.activity().environments.first { $0.environment == id }
    }

    @Test func aRequestTouchesEveryEnvironmentThatItNeeds() async throws {
        let origin = try Origin("payments@shop")
        defer { origin.stop() }
        var shop = Shop(["payments@shop": origin.port])
        let port = try shop.listen(Shop.refunds, "payments")
        try await GatewayFixture.with(shop.table) { gateway in
            let before = await gateway.plane.activity()
            #expect(before.environments.isEmpty)
            #expect(before.quietSince(Shop.baseline) == before.startedAt)
            _ = try await gateway.get(port)
            let after = await gateway.plane.activity()
            // The overlay whose address it was, and the baseline whose copy answered; nobody else.
            #expect(after.environments.map(\.environment) == [Shop.refunds, Shop.baseline].sorted())
            for activity in after.environments {
                let last = try #require(activity.lastRequestAt)
                #expect(abs(after.now - last) < 2000)
                #expect(activity.openRequests == 0)
                #expect(activity.openConnections == 0)
            }
            #expect(after.startedAt <= after.now)
            #expect(after.startedAt == before.startedAt)
        }
    }

    @Test func anOpenRequestIsActivityUntilItEnds() async throws {
        let (release, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let origin = try Origin("slow@shop") { socket, origin in
            _ = socket.receive(until: "\r\n\r\n")
            gate.signal()
            release.wait()
            try socket.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        }
        defer { origin.stop() }
        var shop = Shop(["slow@shop": origin.port])
        let port = try shop.listen(Shop.child, "slow")
        try await GatewayFixture.with(shop.table) { gateway in
            defer { release.signal() }
            async let reply = gateway.get(port)
            let arrived = try await onThread { gate.wait(timeout: .now() + 10) }
            #expect(arrived == .success)
            // Also over a change of the table: the request goes on by the old one.
            var next = shop.table
            next.version += 1
            next.environments.reverse()
            try await gateway.apply(next)
            let during = await gateway.plane.activity()
            #expect(during.environments.map(\.openRequests) == [1, 1])
            #expect(during.quietSince(Shop.child) == nil)
            #expect(during.quietSince(Shop.refunds) == during.startedAt)
            release.signal()
            #expect(try await reply.status == 200)
            let after = await gateway.plane.activity()
            #expect(after.environments.map(\.openRequests) == [0, 0])
            #expect(after.quietSince(Shop.child) != nil)
            #expect(after.environments.allSatisfy { $0.lastRequestAt != nil })
        }
    }

    @Test func anOpenTunnelIsActivityUntilItEnds() async throws {
        let origin = try Origin("db@shop") { socket, _ in
            try socket.send("hello")
            _ = socket.receiveAll()
        }
        defer { origin.stop() }
        var shop = Shop(["db@shop": origin.port])
        let port = try shop.listen(Shop.refunds, "db", caller: .service("checkout"), isTCP: true)
        try await GatewayFixture.with(shop.table) { gateway in
            let socket = try await onThread { () -> RawSocket in
                let socket = try RawSocket.connect(port)
                _ = socket.receive(exactly: 5)
                return socket
            }
            #expect(await entry(Shop.refunds, gateway)?.openConnections == 1)
            #expect(await entry(Shop.baseline, gateway)?.openConnections == 1)
            #expect(await gateway.plane.activity().quietSince(Shop.baseline) == nil)
            try await onThread {
                socket.endOutput()
                _ = socket.receiveAll()
            }
            let ended = try await eventually("the tunnel is gone") { () -> EnvironmentActivity? in
                guard let last = await entry(Shop.refunds, gateway), last.openConnections == 0 else { return nil }
                return last
            }
            #expect(ended.lastRequestAt != nil)
        }
    }

    @Test func timesOutliveATableAndEndWithTheirEnvironment() async throws {
        let origin = try Origin("payments@shop")
        defer { origin.stop() }
        var shop = Shop(["payments@shop": origin.port])
        let port = try shop.listen(Shop.refunds, "payments")
        try await GatewayFixture.with(shop.table) { gateway in
            _ = try await gateway.get(port)
            let before = await gateway.plane.activity()
            var next = shop.table
            next.version += 1
            next.environments.insert(
                RoutedEnvironment(
                    id: EnvironmentID(rawValue: "env-a"), name: "a", revision: 1, state: .serving, services: []), at: 0)
            try await gateway.apply(next)
            let after = await gateway.plane.activity()
            #expect(after.environments.map(\.environment) == before.environments.map(\.environment))
            for (old, new) in zip(before.environments, after.environments) {
                #expect(abs((old.lastRequestAt ?? 0) - (new.lastRequestAt ?? 0)) < 3000)
            }
            next.version += 1
            next.environments.removeAll { $0.id == Shop.refunds || $0.id == Shop.child }
            next.listeners = []
            try await gateway.apply(next)
            #expect(await gateway.plane.activity().environments.map(\.environment) == [Shop.baseline])
        }
    }

    @Test func whatSeveralGatewaysSawIsOne() {
        func entry(_ id: String, _ last: Int64?, _ requests: Int) -> EnvironmentActivity {
            EnvironmentActivity(
                environment: EnvironmentID(rawValue: id), lastRequestAt: last, openRequests: requests,
                openConnections: 1)
        }
        var own = ActivitySnapshot(startedAt: 10, now: 100, environments: [entry("a", 50, 0), entry("b", nil, 2)])
        own.join(ActivitySnapshot(startedAt: 20, now: 90, environments: [entry("b", 60, 1), entry("c", 70, 0)]))
        #expect(own.startedAt == 20 && own.now == 100)
        #expect(own.environments.map(\.environment.rawValue) == ["a", "b", "c"])
        #expect(own.environments.map(\.lastRequestAt) == [50, 60, 70])
        #expect(
            own.environments.map(\.openRequests) == [0, 3, 0] && own.environments.map(\.openConnections) == [1, 2, 1])
    }

    @Test func quietSinceIsNeverBeforeTheStart() {
        func id(_ text: String) -> EnvironmentID { EnvironmentID(rawValue: text) }
        let busy = EnvironmentActivity(environment: id("a"), lastRequestAt: 50, openRequests: 0, openConnections: 1)
        let used = EnvironmentActivity(environment: id("b"), lastRequestAt: 150, openRequests: 0, openConnections: 0)
        let odd = EnvironmentActivity(environment: id("c"), lastRequestAt: 50, openRequests: 0, openConnections: 0)
        let snapshot = ActivitySnapshot(startedAt: 100, now: 200, environments: [busy, used, odd])
        #expect(snapshot.quietSince(id("a")) == nil)
        #expect(snapshot.quietSince(id("b")) == 150)
        #expect(snapshot.quietSince(id("c")) == 100)
        #expect(snapshot.quietSince(id("d")) == 100)
    }
}
