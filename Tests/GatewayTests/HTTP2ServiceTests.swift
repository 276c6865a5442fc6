import Blueprints
import EnvironmentGraph
import Foundation
import Testing

@testable import Gateway

/// Services that speak HTTP/2, asked by clients of either version.
@Suite(.timeLimit(.minutes(5))) struct HTTP2ServiceTests {
    typealias Handler = @Sendable (HTTP2Peer, HTTP2Peer.Frame, Origin) throws -> Bool

    /// - Parameter handler: of each frame of a stream; false ends the connection.
    private func withService(
        _ transport: PortProtocol = .http2, _ handler: @escaping Handler,
        _ body: (GatewayFixture, Int, Origin) async throws -> Void
    ) async throws {
        let origin = try Origin("calls@shop") { socket, origin in
            let peer = try HTTP2Peer(socket, isClient: false)
            while let frame = try peer.next() {
                guard frame.stream > 0 else { continue }
                guard try handler(peer, frame, origin) else { return }
            }
        }
        defer { origin.stop() }
        var shop = Shop(calls: transport, port: origin.port)
        let port = try shop.listen(Shop.baseline, "calls")
        try await GatewayFixture.with(shop.table, loops: 1) { try await body($0, port, origin) }
    }

    private static let answering: Handler = { peer, frame, origin in
        if frame.type == HTTP2Peer.headers, !frame.fields.isEmpty {
            origin.record(frame.fields.map { "\($0.name)=\($0.value)" }.joined(separator: "\n"))
        }
        if frame.type == HTTP2Peer.data { origin.record("body " + String(decoding: frame.payload, as: UTF8.self)) }
        guard frame.endsStream else { return true }
        try peer.respond(frame.stream, [(":status", "200"), ("x-kind", "h2")])
        try peer.content(frame.stream, Array("hello ".utf8))
        try peer.content(frame.stream, Array("there".utf8))
        try peer.respond(frame.stream, [("x-trailer", "t")], ends: true)
        return true
    }

    @Test func aClientOfHTTP1ReachesIt() async throws {
        try await withService(.http2, Self.answering) { gateway, port, origin in
            let reply = try await gateway.send(
                port,
                "POST /a HTTP/1.1\r\nhost: shop\r\nconnection: close\r\nX-Mixed: Yes\r\ntransfer-encoding: chunked\r\n\r\n"
                    + "3\r\nabc\r\n0\r\nx-in: 1\r\n\r\n")
            #expect(reply.status == 200)
            #expect(reply.field("x-kind") == "h2" && reply.field("x-msx-provider") == "calls@shop#r12")
            #expect(reply.body == "6\r\nhello \r\n5\r\nthere\r\n0\r\nx-trailer: t\r\n\r\n")
            let seen = origin.requests
            try #require(seen.count == 3)
            #expect(seen[0].hasPrefix(":method=POST\n:scheme=http\n:authority=shop\n:path=/a\nx-mixed=Yes\n"))
            #expect(seen[0].hasSuffix("\nte=trailers") && !seen[0].contains("transfer-encoding"))
            #expect(seen[1] == "body abc" && seen[2] == "x-in=1")
        }
    }

    @Test func aThousandStreamsAtOnceAreAnsweredEachByItsOwn() async throws {
        let handler: Handler = { peer, frame, _ in
            guard frame.endsStream else { return true }
            try peer.respond(frame.stream, [(":status", "200")])
            try peer.content(frame.stream, Array((frame.field(":path") ?? "").utf8), ends: true)
            return true
        }
        try await withService(.http2, handler) { _, port, origin in
            let wrong = try await onThread {
                let peer = try HTTP2Peer.connect(port)
                let streams = try (0..<1000).map { try peer.request("/\($0)") }
                let all = try peer.messages(streams)
                return streams.enumerated().filter { all[$1]?.text != "/\($0)" }.count
            }
            #expect(wrong == 0)
            // Before its settings come a service is asked for a hundred at once, and then for 256.
            #expect(origin.connections <= 10)
        }
    }

    @Test func manyRequestsShareOneConnection() async throws {
        try await withService(.http2, Self.answering) { gateway, port, origin in
            let texts = try await onThread {
                let peer = try HTTP2Peer.connect(port)
                let streams = try (0..<200).map { _ in try peer.request() }
                return Set(try peer.messages(streams).values.map { $0.text + ($0.field("x-trailer") ?? "-") })
            }
            #expect(texts == ["hello theret"])
            // A connection takes no more than the service said, or than is usual before it said so.
            #expect(origin.connections <= 2)
            let again = try await gateway.get(port)
            #expect(again.status == 200 && origin.connections <= 2)
        }
    }

    @Test func aRefusedStreamIsAskedAgainAndABrokenOneIsNot() async throws {
        let handler: Handler = { peer, frame, origin in
            guard frame.type == HTTP2Peer.headers, let path = frame.field(":path") else { return true }
            origin.record(path)
            let times = origin.requests.count { $0 == path }
            if path == "/refused", times == 1 {
                try peer.resetStream(frame.stream, 7)
            } else if path == "/broken" {
                try peer.resetStream(frame.stream, 2)
            } else if path == "/leaving", times == 1 {
                try peer.send(HTTP2Peer.goAway, payload: HTTP2Peer.number(0) + HTTP2Peer.number(0))
                return false
            } else {
                try peer.respond(frame.stream, [(":status", "204")], ends: true)
            }
            return true
        }
        try await withService(.http2, handler) { gateway, port, origin in
            let statuses = try await onThread {
                let peer = try HTTP2Peer.connect(port)
                return try ["/refused", "/broken", "/leaving"].map { path in
                    try peer.message(try peer.request(path)).status
                }
            }
            #expect(statuses == ["204", "502", "204"])
            #expect(origin.requests == ["/refused", "/refused", "/broken", "/leaving", "/leaving"])
        }
    }

    @Test func aServiceThatDoesNotSpeakItIsSaidToBeOne() async throws {
        let origin = try Origin("calls@shop") { socket, _ in
            _ = socket.receive()
            try socket.send("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        }
        defer { origin.stop() }
        var shop = Shop(calls: .http2, port: origin.port)
        let listener = try shop.listen(Shop.baseline, "calls")
        try await GatewayFixture.with(shop.table) { gateway in
            let reply = try await gateway.get(listener)
            #expect(reply.status == 502 && reply.field("x-msx-error") == "upstream_reset")
            #expect(reply.body.contains("before it spoke HTTP/2"))
        }
    }

    @Test func callsOfGRPCGoByHTTP2WhateverThePortSaysAndFaultsAreGRPCs() async throws {
        let handler: Handler = { peer, frame, origin in
            guard frame.endsStream else { return true }
            let type = [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "5")]
            try peer.respond(frame.stream, type, ends: true)
            return true
        }
        try await withService(.http, handler) { gateway, port, _ in
            let (answer, refused) = try await onThread {
                let peer = try HTTP2Peer.connect(port)
                let fields = [("content-type", "application/grpc+proto"), ("te", "trailers")]
                let call = try peer.request("/t.T/Call", method: "POST", fields, ends: false)
                try peer.content(call, [0, 0, 0, 0, 0], ends: true)
                let lost = try peer.request(
                    "/t.T/Call", method: "POST", fields + [("x-msx-env", "nope")], ends: false)
                try peer.content(lost, [0, 0, 0, 0, 0], ends: true)
                let all = try peer.messages([call, lost])
                return (all[call] ?? HTTP2Peer.Message(), all[lost] ?? HTTP2Peer.Message())
            }
            // All trailers in one block, as it came: no length was made up.
            #expect(answer.heads.count == 1 && answer.field("grpc-status") == "5" && answer.ended)
            #expect(answer.field("content-length") == nil)
            #expect(refused.status == "200" && refused.field("grpc-status") == "5")
            #expect(refused.field("x-msx-error") == "unknown_environment")
            #expect(refused.field("grpc-message")?.hasPrefix("unknown_environment: ") == true)
        }
    }

    @Test func aSlowReaderKeepsNobodyElseBack() async throws {
        let handler: Handler = { peer, frame, _ in
            guard frame.endsStream, let path = frame.field(":path") else { return true }
            try peer.respond(frame.stream, [(":status", "200")])
            if path == "/large" {
                // As much as the gateway's window for one stream lets in.
                for _ in 0..<8 { try peer.content(frame.stream, [UInt8](repeating: 1, count: 16_000)) }
            } else {
                try peer.content(frame.stream, Array("quick".utf8), ends: true)
            }
            return true
        }
        try await withService(.http2, handler) { _, port, _ in
            let texts = try await onThread {
                let slow = try HTTP2Peer.connect(port, opensWindows: false)
                for _ in 0..<20 { _ = try slow.request("/large") }
                let quick = try HTTP2Peer.connect(port)
                return try (0..<20).map { _ in try quick.message(try quick.request("/small")).text }
            }
            #expect(texts == Array(repeating: "quick", count: 20))
        }
    }
}
