import Blueprints
import EnvironmentGraph
import Foundation
import HTTPWire
import Testing

@testable import Gateway

/// Carrier 4: a caller that forwards nothing but a trace id.
@Suite struct TraceTests {
    private static let id = "4bf92f3577b34da6a3ce929d0e0e4736"

    private func withShop(
        change: (inout Shop) throws -> Void = { _ in },
        _ body: (GatewayFixture, Int, [String: Origin]) async throws -> Void
    ) async throws {
        var origins: [String: Origin] = [:]
        for name in ["payments@shop", "payments@refunds-env"] { origins[name] = try Origin(name) }
        defer { for origin in origins.values { origin.stop() } }
        var shop = Shop(origins.mapValues(\.port))
        let port = try shop.listen(Shop.baseline, "payments")
        try change(&shop)
        try await GatewayFixture.with(shop.table) { try await body($0, port, origins) }
    }

    private func expect(
        _ provider: String, _ gateway: GatewayFixture, _ port: Int, _ fields: String...,
        at place: Testing.SourceLocation = #_sourceLocation
    ) async throws {
        let found = try await gateway.get(port, fields).field("x-msx-provider")
        #expect(found == provider, sourceLocation: place)
    }

    private static let carriers = [
        "traceparent: 00-\(id)-00f067aa0ba902b7-01", "b3: \(id)-00f067aa0ba902b7-1", "X-B3-TraceId: \(id)",
        "b3: a3ce929d0e0e4736-00f067aa0ba902b7", "x-b3-traceid: A3CE929D0E0E4736",
    ]

    @Test(arguments: carriers) func aTraceSeenInAContextLeadsThere(_ carrier: String) async throws {
        try await withShop { gateway, port, _ in
            // The edge hears of the context; what is called next forwards the trace alone.
            try await expect("payments@refunds-env#r3", gateway, port, carrier, "x-msx-env: feat-refunds")
            let reply = try await gateway.get(port, [carrier])
            #expect(reply.field("x-msx-provider") == "payments@refunds-env#r3")
            #expect(reply.body.contains("x-msx-env: feat-refunds\r\n"))
        }
    }

    @Test func aTraceThatTheGatewayMadeIsRememberedToo() async throws {
        try await withShop { gateway, port, _ in
            let first = try await gateway.get(port, ["x-msx-env: feat-refunds"])
            let made = try #require(
                first.body.components(separatedBy: "\r\n").first { $0.hasPrefix("traceparent: ") })
            try await expect("payments@refunds-env#r3", gateway, port, made)
            // What came with B3 goes on under the same id in both forms.
            let b3 = "b3: \(Self.id)-00f067aa0ba902b7-1"
            #expect(try await gateway.get(port, [b3]).body.contains("traceparent: 00-\(Self.id)-"))
        }
    }

    @Test func aTraceWithoutContextOrWithTwoSaysNothing() async throws {
        try await withShop { gateway, port, _ in
            let trace = "traceparent: 00-\(Self.id)-00f067aa0ba902b7-01"
            try await expect("payments@shop#r12", gateway, port, trace)
            try await expect("payments@refunds-env#r3", gateway, port, trace, "x-msx-env: feat-refunds")
            try await expect("payments@shop#r12", gateway, port, trace)
            let other = "traceparent: 00-\(String(Self.id.reversed()))-00f067aa0ba902b7-01"
            try await expect("payments@refunds-env#r3", gateway, port, other, "x-msx-env: feat-refunds")
            try await expect("payments@refunds-env#r3", gateway, port, other, "x-msx-env: feat-child")
            try await expect("payments@shop#r12", gateway, port, other)
            // The header said one thing and the trace another.
            let disagreements = await gateway.plane.counts().disagreements
            #expect(disagreements == 1)
        }
    }

    @Test func whoAsksForAnOverlayFromOutsideMeansIt() async throws {
        var own = 0
        try await withShop(change: { own = try $0.listen(Shop.refunds, "payments") }) { gateway, port, _ in
            let trace = "traceparent: 00-\(Self.id)-00f067aa0ba902b7-01"
            // One trace id for a whole session of tests, first without and then with the overlay's own URL.
            try await expect("payments@refunds-env#r3", gateway, port, trace, "x-msx-env: feat-child")
            try await expect("payments@refunds-env#r3", gateway, own, trace)
            try await expect("payments@shop#r12", gateway, port, trace)
        }
    }

    @Test func aTraceOfAnOverlayThatIsGoneIsRefused() async throws {
        var table = RoutingTable()
        try await withShop(change: { table = $0.table }) { gateway, port, _ in
            let trace = "traceparent: 00-\(Self.id)-00f067aa0ba902b7-01"
            try await expect("payments@refunds-env#r3", gateway, port, trace, "x-msx-env: feat-refunds")
            table.version += 1
            table.environments.removeAll { $0.id != Shop.baseline }
            try await gateway.apply(table)
            let reply = try await gateway.get(port, [trace])
            #expect(reply.status == 404 && reply.field("x-msx-error") == "unknown_environment")
        }
    }

    @Test func whereTheContextStopsItsTracesSayNothing() async throws {
        try await withShop(change: { $0.table.environments[0].propagateHeader = false }) { gateway, port, _ in
            let trace = "traceparent: 00-\(Self.id)-00f067aa0ba902b7-01"
            try await expect("payments@refunds-env#r3", gateway, port, trace, "x-msx-env: feat-refunds")
            try await expect("payments@shop#r12", gateway, port, trace)
        }
    }

    // MARK: The memory alone

    @Test func whatIsOldIsForgotten() {
        let memory = TraceMemory(capacity: 1)
        let id = TraceID(high: 1, low: 2)
        memory.saw(id, root: 1, context: 7, now: 1_000)
        #expect(memory.context(of: id, root: 1, now: 1_000) == .one(7))
        #expect(memory.context(of: id, root: 2, now: 1_000) == .unknown)
        #expect(memory.context(of: id, root: 1, now: 1_000 + TraceMemory.lifetime - 1) == .one(7))
        #expect(memory.context(of: id, root: 1, now: 1_000 + TraceMemory.lifetime) == .unknown)
        // Another context after that is the first one again.
        memory.saw(id, root: 1, context: 8, now: 1_000 + TraceMemory.lifetime)
        #expect(memory.context(of: id, root: 1, now: 1_000 + TraceMemory.lifetime) == .one(8))
    }

    @Test func itsSizeIsBoundedAndTheOldestGo() {
        let memory = TraceMemory(capacity: 2_048)
        for number in 1...20_000 {
            memory.saw(TraceID(high: 0, low: UInt64(number)), root: 1, context: 7, now: Int64(number))
        }
        let known = (1...20_000).filter {
            memory.context(of: TraceID(high: 0, low: UInt64($0)), root: 1, now: 20_000) != .unknown
        }
        #expect(known.count <= 2_048 && known.count > 1_900)
        // A bucket of eight holds the newest of what fell into it.
        #expect(known.filter { $0 > 19_000 }.count > 980)
        #expect(known.filter { $0 < 10_000 }.count < 20)
    }

    @Test(arguments: [
        "traceparent: 00-\(id)-00f067aa0ba902b7-0", "traceparent: ff-\(id)-00f067aa0ba902b7-01",
        "traceparent: 00-\(id.uppercased())-00f067aa0ba902b7-01",
        "traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "traceparent: 00-\(id)-0000000000000000-01", "traceparent: 00-\(id)-00f067aa0ba902b7-01-more", "b3: 0",
        "b3: \(id)", "x-b3-traceid: 0000000000000000", "x-b3-traceid: 123",
    ])
    func whatIsMalformedSaysNothing(_ carrier: String) async throws {
        try await withShop { gateway, port, _ in
            try await expect("payments@refunds-env#r3", gateway, port, carrier, "x-msx-env: feat-refunds")
            try await expect("payments@shop#r12", gateway, port, carrier)
        }
    }
}
