import Blueprints
import EnvironmentGraph
import Foundation
import Testing

@testable import Gateway

/// What a careful reader of the code for HTTP/2 thought of.
@Suite(.timeLimit(.minutes(5))) struct HTTP2HardTests {
    private func withOrigin(
        _ transport: PortProtocol = .http, limits: GatewayLimits = GatewayLimits(), _ script: @escaping Origin.Script,
        _ body: (GatewayFixture, Int, Origin) async throws -> Void
    ) async throws {
        let origin = try Origin("calls@shop", script: script)
        defer { origin.stop() }
        var shop = Shop(calls: transport, port: origin.port)
        let port = try shop.listen(Shop.baseline, "calls")
        try await GatewayFixture.with(shop.table, limits: limits, loops: 1) { try await body($0, port, origin) }
    }

    private static func serving(
        _ handler: @escaping @Sendable (HTTP2Peer, HTTP2Peer.Frame) throws -> Void
    ) -> Origin.Script {
        { socket, _ in
            let peer = try HTTP2Peer(socket, isClient: false)
            while let frame = try peer.next() {
                if frame.stream > 0 { try handler(peer, frame) }
            }
        }
    }

    @Test func aClientThatBreaksOffADownloadHarmsNobody() async throws {
        let size = 4 << 20
        try await withOrigin(.http) { socket, _ in
            guard Origin.readRequest(socket) != nil else { return }
            try socket.send("HTTP/1.1 200 OK\r\ncontent-length: \(size)\r\n\r\n")
            try socket.send([UInt8](repeating: 0x78, count: size))
        } _: { _, port, _ in
            let whole = try await onThread {
                for _ in 0..<20 {
                    let peer = try HTTP2Peer.connect(port)
                    for _ in 0..<3 { _ = try peer.request() }
                    _ = peer.socket.receive(exactly: 40_000)
                    peer.socket.resetOnClose()
                }
                let peer = try HTTP2Peer.connect(port)
                return try peer.message(try peer.request()).body.count
            }
            #expect(whole == size)
        }
    }

    @Test func anAnswerWithoutALengthReachesAClientThatReadsSlowly() async throws {
        let size = 150_000
        try await withOrigin(.http) { socket, _ in
            guard Origin.readRequest(socket) != nil else { return }
            try socket.send("HTTP/1.0 200 OK\r\n\r\n")
            try socket.send([UInt8](repeating: 0x78, count: size))
        } _: { _, port, _ in
            let (count, ended) = try await onThread {
                let peer = try HTTP2Peer.connect(port, opensWindows: false)
                let stream = try peer.request()
                // Longer than anybody lingers.
                poll(nil, 0, 2800)
                try peer.send(HTTP2Peer.windowUpdate, payload: HTTP2Peer.number(size))
                try peer.send(HTTP2Peer.windowUpdate, stream: stream, payload: HTTP2Peer.number(size))
                let message = try peer.message(stream)
                return (message.body.count, message.ended)
            }
            #expect(count == size && ended)
        }
    }

    @Test func aRefusedRequestIsNotAnsweredAsTheCallBeforeItWasMeant() async throws {
        let script = Self.serving { peer, frame in
            guard frame.endsStream else { return }
            try peer.respond(frame.stream, [(":status", "200"), ("grpc-status", "0")], ends: true)
        }
        try await withOrigin(.grpc, script) { _, port, _ in
            let (first, second) = try await onThread {
                let peer = try HTTP2Peer.connect(port)
                let call = try peer.request("/t/M", method: "POST", [("content-type", "application/grpc")])
                let first = try peer.message(call)
                return (first, try peer.message(try peer.request("/", [("host", "other")])))
            }
            #expect(first.field("grpc-status") == "0")
            #expect(second.status == "400" && second.field("x-msx-error") == "bad_request")
        }
    }

    @Test func aBadHeadEndsOnlyItsOwnStream() async throws {
        var limits = GatewayLimits()
        limits.headTimeout = .milliseconds(300)
        let script = Self.serving { peer, frame in
            guard frame.endsStream else { return }
            try peer.respond(frame.stream, [(":status", "200")])
            poll(nil, 0, 1200)
            try peer.content(frame.stream, Array("late".utf8), ends: true)
        }
        try await withOrigin(.http2, limits: limits, script) { _, port, _ in
            let (good, bad) = try await onThread {
                let peer = try HTTP2Peer.connect(port)
                let good = try peer.request("/")
                let bad = try peer.request("/", [("connection", "close")])
                let all = try peer.messages([good, bad])
                return (all[good]?.text, all[bad]?.reset)
            }
            #expect(good == "late")
            #expect(bad == 1)
        }
    }

    @Test func headsUpToTheLimitPassAndTrailersThatMayNotBeEndTheStream() async throws {
        let many = (0..<400).map { ("x-\($0)", String(repeating: "v", count: 140)) }
        let script = Self.serving { peer, frame in
            guard frame.endsStream else { return }
            if frame.fields.contains(where: { $0.value == "/trailers" }) {
                try peer.respond(frame.stream, [(":status", "200")])
                try peer.respond(frame.stream, [("host", "a"), ("host", "b")], ends: true)
            } else {
                let block = HTTP2Peer.block([(":status", "200")] + many)
                for start in stride(from: 0, to: block.count, by: 16_000) {
                    let isLast = start + 16_000 >= block.count
                    try peer.send(
                        start == 0 ? HTTP2Peer.headers : HTTP2Peer.continuation,
                        flags: (start == 0 ? 1 : 0) | (isLast ? 4 : 0), stream: frame.stream,
                        payload: Array(block[start..<min(start + 16_000, block.count)]))
                }
            }
        }
        try await withOrigin(.http2, script) { gateway, port, _ in
            let reply = try await gateway.get(port)
            #expect(reply.status == 200 && reply.head.components(separatedBy: ": vvvv").count == 401)
            let broken = try await onThread {
                let peer = try HTTP2Peer.connect(port)
                return try peer.message(try peer.request("/trailers"))
            }
            #expect(broken.reset != nil && !broken.ended)
        }
    }

    @Test func aConnectionOnWhichNothingComesIsLeftForAnother() async throws {
        var limits = GatewayLimits()
        limits.responseTimeout = .milliseconds(600)
        let script: Origin.Script = { socket, origin in
            let peer = try HTTP2Peer(socket, isClient: false)
            while let frame = try peer.next() {
                guard frame.stream > 0, frame.endsStream else { continue }
                origin.record("asked")
                // The first connection falls silent.
                guard origin.requests.count > 1 else {
                    _ = socket.receiveAll()
                    return
                }
                try peer.respond(frame.stream, [(":status", "204")], ends: true)
            }
        }
        try await withOrigin(.http2, limits: limits, script) { gateway, port, origin in
            let first = try await gateway.get(port)
            let second = try await gateway.get(port)
            #expect(first.status == 504 && second.status == 204)
            #expect(origin.connections == 2)
        }
    }

    @Test func whatIsNotExposedIsNotWokenByItsHostName() async throws {
        var shop = Shop(["payments@shop": 1])
        shop.table.environments[0].wakes = true
        shop.table.environments[0].services[0].ready = false
        shop.table.environments[0].services[0].exposed = false
        try await GatewayFixture.with(shop.table) { gateway in
            let reply = try await gateway.get(gateway.edgePort, host: "payments.shop.localhost")
            #expect(reply.status == 404 && reply.field("x-msx-error") == "unknown_service")
        }
    }
}
