import EnvironmentGraph
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// A gateway takes over from another one while clients come and go: nobody is refused, and nobody is broken off.
@Suite struct HandoverTests {
    /// Clients that keep their connections and clients that do not, each in a thread of its own.
    private final class Load: Sendable {
        private struct State {
            var answers = 0
            var failures: [String] = []
            var isOver = false
        }

        private let state = Mutex(State())
        private let ended = Mutex(0)
        private let clients: Int
        let wanted = Mutex("payments@shop#r12")

        init(_ ports: [Int], clients: Int = 6) {
            self.clients = clients
            for number in 0..<clients {
                let port = ports[number % ports.count]
                Thread { [self] in
                    run(port, keeps: number % 3 != 0)
                    ended.withLock { $0 += 1 }
                }.start()
            }
        }

        var answers: Int { state.withLock { $0.answers } }
        var failures: [String] { state.withLock { $0.failures } }

        func stop() async throws {
            state.withLock { $0.isOver = true }
            try await eventually("every client ends") { ended.withLock { $0 } == clients ? true : nil }
        }

        private func run(_ port: Int, keeps: Bool) {
            var socket: RawSocket?
            while !state.withLock({ $0.isOver }) {
                do {
                    let open = try socket ?? RawSocket.connect(port)
                    socket = open
                    let close = keeps ? "" : "connection: close\r\n"
                    try open.send("GET / HTTP/1.1\r\nhost: payments.shop.localhost\r\n\(close)\r\n")
                    guard let reply = GatewayFixture.readResponse(open), reply.status == 200 else {
                        throw RawSocket.Failure(description: "no answer on port \(port), keeps: \(keeps)")
                    }
                    state.withLock { $0.answers += 1 }
                    if !keeps || reply.field("connection") == "close" { socket = nil }
                } catch {
                    state.withLock { $0.failures.append("\(error)") }
                    socket = nil
                }
            }
        }
    }

    private func gateway(
        _ folder: String, replaces: Bool = false, _ body: (GatewayControl, GatewayStatus) async throws -> Void
    ) async throws {
        var limits = GatewayLimits()
        limits.retirement = .seconds(5)
        try await withGateway(folder, replaces: replaces, limits: limits, body)
    }

    /// The worst that a change of gateways could do: a caller that forwards nothing but its trace gets the baseline.
    @Test func tracesAreKnownToTheNextOneAndThroughWhatIsKeptToTheOldOne() async throws {
        let (base, copy) = (try Origin("payments@shop"), try Origin("payments@refunds-env"))
        defer { for origin in [base, copy] { origin.stop() } }
        var shop = Shop(["payments@shop": base.port, "payments@refunds-env": copy.port], version: 1)
        let edge = try shop.listen(Shop.baseline, "payments")
        let port = try shop.listen(Shop.baseline, "payments", caller: .service("web"))
        let table = shop.table
        @Sendable func ask(_ socket: RawSocket, _ trace: String, _ fields: String = "") throws -> String? {
            let parent = "traceparent: 00-\(String(repeating: trace, count: 32))-00f067aa0ba902b7-01"
            try socket.send("GET / HTTP/1.1\r\nhost: a\r\n\(parent)\r\n\(fields)\r\n")
            return GatewayFixture.readResponse(socket)?.field("x-msx-provider")
        }
        try await withTemporaryFolder { folder in
            try await gateway(folder) { control, _ in
                _ = try await control.putTable(table)
                let kept = try await onThread {
                    let kept = try RawSocket.connect(port)
                    #expect(try ask(kept, "a", "x-msx-env: feat-refunds\r\n") == "payments@refunds-env#r3")
                    #expect(try ask(kept, "b") == "payments@shop#r12")
                    return kept
                }
                try await gateway(folder, replaces: true) { _, _ in
                    let seen = try await onThread {
                        let fresh = try RawSocket.connect(port)
                        let before = [try ask(fresh, "a"), try ask(fresh, "b")]
                        // Begins at the new one; the caller goes on over what it has kept to the old one.
                        let outside = try RawSocket.connect(edge)
                        let begun = try ask(outside, "c", "x-msx-env: feat-refunds\r\n")
                        return before + [begun, try ask(kept, "c"), try ask(kept, "b"), try ask(kept, "a")]
                    }
                    let (own, refunds) = ("payments@shop#r12", "payments@refunds-env#r3")
                    #expect(seen == [refunds, own, refunds, refunds, own, refunds])
                }
            }
        }
    }

    @Test func nobodyIsRefusedOrBrokenOff() async throws {
        let origin = try Origin("payments@shop")
        defer { origin.stop() }
        var shop = Shop(["payments@shop": origin.port], version: 1)
        let port = try shop.listen(Shop.baseline, "payments", caller: .service("web"))
        let table = shop.table
        try await withTemporaryFolder { folder in
            try await gateway(folder) { control, first in
                _ = try await control.putTable(table)
                let load = Load([port, first.edgePort])
                try await eventually("requests are answered") { load.answers > 50 ? true : nil }
                try await gateway(folder, replaces: true) { _, second in
                    #expect(second.edgePort == first.edgePort)
                    #expect(second.listeners == 1)
                    #expect(second.problems == [])
                    let before = load.answers
                    try await eventually("requests are answered") { load.answers > before + 50 ? true : nil }
                    try await gateway(folder, replaces: true) { control, third in
                        #expect(third.edgePort == first.edgePort)
                        let before = load.answers
                        try await eventually("requests are answered") { load.answers > before + 50 ? true : nil }
                        var next = table
                        next.version = 9
                        let reply = try await control.putTable(next)
                        #expect(reply.listeners == [.init(port: port)])
                        try await load.stop()
                    }
                }
                #expect(load.failures == [])
            }
        }
    }

    /// What is on its way is served by the gateway where it began; what is kept open there is never routed by an old table.
    @Test func whatIsOpenEndsWhereItBegan() async throws {
        let gate = DispatchSemaphore(value: 0)
        let origin = try Origin("payments@shop") { socket, origin in
            while let request = Origin.readRequest(socket) {
                origin.record(request)
                if request.hasPrefix("GET /slow") { gate.wait() }
                try socket.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone")
            }
        }
        let other = try Origin("payments@shop")
        defer {
            origin.stop()
            other.stop()
        }
        var shop = Shop(["payments@shop": origin.port], version: 1)
        let port = try shop.listen(Shop.baseline, "payments")
        var later = Shop(["payments@shop": other.port], version: 2)
        later.table.listeners = shop.table.listeners
        let (table, newer) = (shop.table, later.table)
        try await withTemporaryFolder { folder in
            try await gateway(folder) { control, _ in
                _ = try await control.putTable(table)
                let slow = try RawSocket.connect(port)
                try slow.send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
                let idle = try await onThread {
                    let socket = try RawSocket.connect(port)
                    try socket.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                    #expect(GatewayFixture.readResponse(socket)?.body == "done")
                    return socket
                }
                try await eventually("the slow request is there") { origin.requests.count == 2 ? true : nil }
                try await gateway(folder, replaces: true) { control, _ in
                    _ = try await control.putTable(newer)
                    let reply = try await onThread {
                        try idle.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                        return GatewayFixture.readResponse(idle)
                    }
                    #expect(reply?.body.hasPrefix("payments@shop\nGET / ") == true)
                    #expect(reply?.field("connection") == "close")
                    gate.signal()
                    let last = try await onThread { GatewayFixture.readResponse(slow) }
                    #expect(last?.body == "done")
                    #expect(last?.field("connection") == "close")
                }
            }
        }
    }

    /// A successor that goes away before it is ready, or says nothing, changes nothing.
    @Test func theOldOneGoesOn() async throws {
        let origin = try Origin("payments@shop")
        defer { origin.stop() }
        var shop = Shop(["payments@shop": origin.port], version: 1)
        let port = try shop.listen(Shop.baseline, "payments")
        let table = shop.table
        try await withTemporaryFolder { folder in
            try await gateway(folder) { control, status in
                _ = try await control.putTable(table)
                for _ in 0..<3 {
                    let link = try MessageSocket.connect(GatewayConfiguration.handoverPath(inFolder: folder))
                    try link.send(HandoverMessage(.take))
                    var handed = 0
                    while let (message, descriptors) = try await link.receive(within: .seconds(10)) {
                        handed += descriptors.count
                        for descriptor in descriptors { close(descriptor) }
                        if message.kind == .offered { break }
                    }
                    #expect(handed == 2)
                    link.end()
                }
                var next = table
                next.version = 3
                let reply = try await control.putTable(next)
                #expect(reply.version == 3)
                let answer = try await onThread {
                    let socket = try RawSocket.connect(port)
                    try socket.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                    return GatewayFixture.readResponse(socket)?.status
                }
                #expect(answer == 200)
                #expect(try await control.status().edgePort == status.edgePort)
            }
            // Where nobody serves, it is a start like any other.
            try await gateway(folder, replaces: true) { _, status in #expect(status.tableVersion == 3) }
        }
    }
}
