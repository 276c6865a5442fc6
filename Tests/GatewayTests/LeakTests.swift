import Blueprints
import EnvironmentGraph
import Foundation
import HTTPWire
import Synchronization
import Testing

@testable import Gateway

/// A service that drops the context of what it answers: the worst that can happen to a test.
@Suite(.timeLimit(.minutes(5))) struct LeakTests {
    /// `front` runs in the baseline and calls `payments`, which the overlay changes; what it forwards is the test's.
    private struct Stage {
        let gateway: GatewayFixture
        let edge: Int
        /// Front's own address of `payments`.
        let address: Int

        func leaks() async -> [String: UInt64] {
            await gateway.plane.counts().calls.reduce(into: [:]) { leaks, call in
                if let leak = call.leak { leaks["\(call.caller) → \(call.service): \(leak)", default: 0] += call.count }
            }
        }
    }

    private func with(
        forwarding names: [String], policy: LeakPolicy = .report, attribution: LeakAttribution = .off,
        _ body: (Stage) async throws -> Void
    ) async throws {
        let address = Mutex(0)
        let front = try Origin("front@shop") { socket, origin in
            while let request = Origin.readRequest(socket) {
                origin.record(request)
                let fields = request.components(separatedBy: "\r\n").filter { line in
                    names.contains { line.lowercased().hasPrefix($0 + ":") }
                }
                let lines = ["GET / HTTP/1.1", "host: payments", "connection: close"] + fields
                let inner = try RawSocket.connect(address.withLock { $0 })
                try inner.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
                let reply = GatewayFixture.parse(inner.receiveAll())
                let text = "\(reply.status) \(reply.field("x-msx-provider") ?? reply.field("x-msx-error") ?? "")"
                try socket.send("HTTP/1.1 200 OK\r\ncontent-length: \(text.utf8.count)\r\n\r\n" + text)
            }
        }
        let origins = try ["payments@shop", "payments@refunds-env"].map { try Origin($0) }
        defer { for origin in origins + [front] { origin.stop() } }
        var shop = Shop(Dictionary(uniqueKeysWithValues: (origins + [front]).map { ($0.name, $0.port) }))
        shop.table.environments[0].onLeak = policy
        shop.table.environments[0].attribution = attribution
        let edge = try shop.listen(Shop.baseline, "front")
        let own = try shop.listen(Shop.baseline, "payments", caller: .service("front"))
        address.withLock { $0 = own }
        try await GatewayFixture.with(shop.table) { gateway in
            try await body(Stage(gateway: gateway, edge: edge, address: own))
        }
    }

    private static let context = "x-msx-env: feat-refunds"

    @Test(arguments: [[], ["x-request-id"]]) func aServiceThatForwardsNothingIsFound(_ names: [String]) async throws {
        try await with(forwarding: names) { stage in
            let reply = try await stage.gateway.get(stage.edge, [Self.context, "x-request-id: 7"])
            #expect(reply.body == "200 payments@shop#r12")
            #expect(reply.field("x-msx-warning") == "context_lost")
            let leaks = await stage.leaks()
            #expect(leaks == ["front → payments: suspected": 1])
            // Without a context nothing can be lost.
            let plain = try await stage.gateway.get(stage.edge)
            #expect(plain.body == "200 payments@shop#r12" && plain.field("x-msx-warning") == nil)
            let after = await stage.leaks()
            #expect(after == leaks)
        }
    }

    @Test(arguments: ["traceparent", "baggage", "tracestate", "x-msx-env"])
    func oneForwardedHeaderIsEnough(_ name: String) async throws {
        try await with(forwarding: [name], policy: .reject) { stage in
            for _ in 0..<3 {
                let reply = try await stage.gateway.get(stage.edge, [Self.context])
                #expect(reply.body == "200 payments@refunds-env#r3")
                #expect(reply.field("x-msx-warning") == nil)
                let plain = try await stage.gateway.get(stage.edge)
                #expect(plain.body == "200 payments@shop#r12")
            }
            let leaks = await stage.leaks()
            #expect(leaks.isEmpty)
        }
    }

    @Test func aLeakIsRefusedWhereTheBlueprintSaysSo() async throws {
        try await with(forwarding: [], policy: .reject) { stage in
            let reply = try await stage.gateway.get(stage.edge, [Self.context])
            #expect(reply.body == "409 context_lost")
            #expect(reply.field("x-msx-warning") == "context_lost")
            let plain = try await stage.gateway.get(stage.edge)
            #expect(plain.body == "200 payments@shop#r12")
        }
    }

    @Test func theOnlyRequestOfACallerGivesItsContext() async throws {
        try await with(forwarding: [], policy: .reject, attribution: .soleRequest) { stage in
            let reply = try await stage.gateway.get(stage.edge, [Self.context])
            #expect(reply.body == "200 payments@refunds-env#r3")
            #expect(reply.field("x-msx-warning") == nil)
            let leaks = await stage.leaks()
            #expect(leaks == ["front → payments: restored": 1])
        }
    }

    @Test func whatAServiceDoesOnItsOwnAccountIsNoLeak() async throws {
        try await with(forwarding: [], policy: .reject) { stage in
            let reply = try await stage.gateway.get(stage.address)
            #expect(reply.field("x-msx-provider") == "payments@shop#r12")
            let named = try await stage.gateway.get(stage.address, [Self.context])
            #expect(named.field("x-msx-provider") == "payments@refunds-env#r3")
        }
    }

    // MARK: What is held against what

    @Test func callsAreHeldAgainstEveryRequestInFlight() {
        let serving = Serving()
        func trace(_ number: UInt64) -> TraceID { TraceID(high: 0, low: number) }
        let first = serving.enter(context: 7, trace: trace(1))
        #expect(serving.judge(context: 7, isNamed: true) == .fits)
        #expect(serving.judge(context: 8, isNamed: true) == .suspected([trace(1)]))
        #expect(serving.judge(context: 0, isNamed: true) == .suspected([trace(1)]))
        #expect(serving.judge(context: 0, isNamed: false) == .sole(context: 7, trace(1)))
        let second = serving.enter(context: 0, trace: trace(2))
        // It may belong to the one that has none; nobody can say.
        #expect(serving.judge(context: 0, isNamed: false) == .suspected([trace(1)]))
        #expect(serving.judge(context: 0, isNamed: true) == .fits)
        let third = serving.enter(context: 7, trace: trace(3))
        serving.leave(first)
        serving.leave(second)
        #expect(serving.judge(context: 0, isNamed: false) == .sole(context: 7, trace(3)))
        serving.leave(third)
        serving.leave(third)
        #expect(serving.judge(context: 9, isNamed: true) == .fits)
        // Two of one context are not one request.
        _ = serving.enter(context: 7, trace: trace(4))
        _ = serving.enter(context: 7, trace: trace(5))
        guard case .suspected(let broken) = serving.judge(context: 0, isNamed: false) else {
            Issue.record("two requests are not one")
            return
        }
        #expect(Set(broken) == [trace(4), trace(5)])
    }
}
