import Blueprints
import EnvironmentGraph
import Foundation
import HTTPWire
import Synchronization
import Testing

@testable import Gateway

/// `x-msx-explain: 1`: the answer says where the request went.
@Suite(.timeLimit(.minutes(5))) struct ExplainTests {
    private static let trace = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    /// `front` calls `payments` with the headers that it is to forward.
    private func with(
        forwarding names: [String], _ body: (GatewayFixture, _ edge: Int, _ payments: Int) async throws -> Void
    ) async throws {
        let address = Mutex(0)
        let front = try Origin("front@shop") { socket, origin in
            while let request = Origin.readRequest(socket) {
                let fields = request.components(separatedBy: "\r\n").filter { line in
                    names.contains { line.lowercased().hasPrefix($0 + ":") }
                }
                let lines = ["GET / HTTP/1.1", "host: payments", "connection: close"] + fields
                let inner = try RawSocket.connect(address.withLock { $0 })
                try inner.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
                _ = inner.receiveAll()
                try socket.send("HTTP/1.1 200 OK\r\nx-msx-route: a lie\r\ncontent-length: 0\r\n\r\n")
            }
        }
        let origins = try ["payments@shop", "payments@refunds-env"].map { try Origin($0) }
        defer { for origin in origins + [front] { origin.stop() } }
        var shop = Shop(Dictionary(uniqueKeysWithValues: (origins + [front]).map { ($0.name, $0.port) }))
        let edge = try shop.listen(Shop.baseline, "front")
        let own = try shop.listen(Shop.baseline, "payments", caller: .service("front"))
        address.withLock { $0 = own }
        try await GatewayFixture.with(shop.table) { try await body($0, edge, own) }
    }

    @Test func theRouteIsThatOfTheTrace() async throws {
        try await with(forwarding: ["x-msx-env", "traceparent"]) { gateway, edge, own in
            let reply = try await gateway.get(edge, [Self.trace, "x-msx-env: feat-refunds", "X-Msx-Explain: 1"])
            #expect(
                reply.field("x-msx-route")
                    == "edge>front@shop#r12;by=header, front>payments@refunds-env#r3;by=header")
            // Who does not ask is told nothing, and what a service says of itself goes.
            for fields in [[], ["x-msx-explain: 0"]] {
                let other = try await gateway.get(edge, [Self.trace] + fields)
                #expect(other.status == 200 && other.field("x-msx-route") == nil)
            }
            // A service cannot ask.
            let inner = try await gateway.get(own, ["x-msx-explain: 1"])
            #expect(inner.field("x-msx-route") == nil)
        }
    }

    @Test func whatTheGatewayAnswersItselfIsExplainedToo() async throws {
        try await with(forwarding: []) { gateway, edge, _ in
            let reply = try await gateway.get(edge, ["x-msx-env: nope", "x-msx-explain: 1"])
            #expect(reply.status == 404)
            #expect(reply.field("x-msx-route") == "edge>front;by=header;error=unknown_environment")
        }
    }

    @Test func aHopThatCannotBeToldToBeItsIsMarked() async throws {
        try await with(forwarding: []) { gateway, edge, own in
            let reply = try await gateway.get(edge, ["x-msx-env: feat-refunds", "x-msx-explain: 1"])
            #expect(
                reply.field("x-msx-route")
                    == "edge>front@shop#r12;by=header, front>payments@shop#r12;by=none;leak=suspected")
        }
    }

    @Test func theBookIsBounded() {
        let book = ExplainBook()
        #expect(book.isEmpty)
        for number in 0..<UInt64(ExplainBook.maxTraces) { #expect(book.open(TraceID(high: 0, low: number))) }
        #expect(!book.open(TraceID(high: 1, low: 0)))
        let first = TraceID(high: 0, low: 0)
        #expect(book.open(first), "one that is there already is no more")
        for _ in 0..<1000 { book.note(first) { String(repeating: "h", count: 100) } }
        let route = book.route(of: first)
        #expect(route.utf8.count <= ExplainBook.maxBytes && route.hasSuffix(", more=961"))
        book.close(first)
        #expect(!book.route(of: first).isEmpty)
        for number in 0..<UInt64(ExplainBook.maxTraces) { book.close(TraceID(high: 0, low: number)) }
        #expect(book.isEmpty)
    }
}
