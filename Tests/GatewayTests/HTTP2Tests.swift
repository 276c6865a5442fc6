import Blueprints
import EnvironmentGraph
import Foundation
import Synchronization
import Testing

@testable import Gateway

/// HTTP/2 from clients, to services of either version.
@Suite(.timeLimit(.minutes(5))) struct HTTP2Tests {
    private func withShop(
        _ script: @escaping Origin.Script = Origin.echo, limits: GatewayLimits = GatewayLimits(),
        _ body: (GatewayFixture, Int, [String: Origin]) async throws -> Void
    ) async throws {
        var origins: [String: Origin] = [:]
        for name in ["payments@shop", "payments@refunds-env"] { origins[name] = try Origin(name, script: script) }
        defer { for origin in origins.values { origin.stop() } }
        var shop = Shop(origins.mapValues(\.port))
        let port = try shop.listen(Shop.baseline, "payments")
        try await GatewayFixture.with(shop.table, limits: limits, loops: 1) { try await body($0, port, origins) }
    }

    private func ask<T: Sendable>(
        _ port: Int, opensWindows: Bool = true, _ body: @escaping @Sendable (HTTP2Peer) throws -> T
    ) async throws -> T {
        try await onThread { try body(try HTTP2Peer.connect(port, opensWindows: opensWindows)) }
    }

    @Test func eachStreamIsDecidedByItself() async throws {
        try await withShop { _, port, _ in
            let found = try await ask(port) { peer in
                let plain = try peer.request("/a?b=c", [("x-own", "1")])
                let named = try peer.request("/d", [("x-msx-env", "feat-refunds")])
                let unknown = try peer.request("/e", [("x-msx-env", "nope")])
                let all = try peer.messages([plain, named, unknown])
                return [plain, named, unknown].map { all[$0] ?? HTTP2Peer.Message() }
            }
            #expect(found.map(\.status) == ["200", "200", "404"])
            #expect(found[0].field("x-msx-provider") == "payments@shop#r12")
            #expect(found[1].field("x-msx-provider") == "payments@refunds-env#r3")
            #expect(found[2].field("x-msx-error") == "unknown_environment")
            #expect(found[0].text.hasPrefix("payments@shop\nGET /a?b=c HTTP/1.1\r\nhost: a\r\nx-own: 1\r\n"))
            #expect(found[1].text.contains("x-msx-env: feat-refunds\r\n"))
            #expect(found.allSatisfy { $0.field("connection") == nil && $0.field("transfer-encoding") == nil })
        }
    }

    @Test func bodiesGoThroughWithAndWithoutALength() async throws {
        try await withShop { _, port, origins in
            let bytes = Array(String(repeating: "0123456789abcdef", count: 20_000).utf8)
            let found = try await ask(port) { peer in
                let measured = try peer.request(method: "POST", [("content-length", "5")], ends: false)
                try peer.content(measured, Array("hel".utf8))
                try peer.content(measured, Array("lo".utf8), ends: true)
                var all = try peer.messages([measured])
                let open = try peer.request(method: "POST", ends: false)
                try peer.content(open, Array("wide ".utf8))
                try peer.content(open, Array("open".utf8))
                try peer.send(
                    HTTP2Peer.headers, flags: 5, stream: open, payload: HTTP2Peer.block([("x-checksum", "abc")]))
                all[open] = try peer.message(open)
                let large = try peer.request(method: "POST", ends: false)
                for start in stride(from: 0, to: bytes.count, by: 16_384) {
                    let part = Array(bytes[start..<min(start + 16_384, bytes.count)])
                    try peer.content(large, part, ends: start + 16_384 >= bytes.count)
                }
                all[large] = try peer.message(large)
                return [measured, open, large].map { all[$0]?.status }
            }
            #expect(found == ["200", "200", "200"])
            let requests = origins["payments@shop"]?.requests ?? []
            try #require(requests.count == 3)
            #expect(requests[0].hasSuffix("content-length: 5\r\n\r\nhello"))
            #expect(requests[1].contains("transfer-encoding: chunked\r\n"))
            #expect(requests[1].hasSuffix("5\r\nwide \r\n4\r\nopen\r\n0\r\nx-checksum: abc\r\n\r\n"))
            #expect(requests[2].utf8.count > bytes.count)
        }
    }

    @Test func manyStreamsAtOnceAreAnsweredEachByItsOwn() async throws {
        try await withShop { _, port, _ in
            let wrong = try await ask(port) { peer in
                let streams = try (0..<60).map { number in
                    try peer.request("/\(number)", number % 2 == 0 ? [] : [("x-msx-env", "feat-refunds")])
                }
                let all = try peer.messages(streams)
                return streams.enumerated().filter { number, stream in
                    let name = number % 2 == 0 ? "payments@shop" : "payments@refunds-env"
                    return all[stream]?.text.hasPrefix("\(name)\nGET /\(number) HTTP/1.1\r\n") != true
                }.count
            }
            #expect(wrong == 0)
        }
    }

    @Test func aLargeAnswerWaitsForTheClientsWindow() async throws {
        let size = 3 << 20
        let script: Origin.Script = { socket, _ in
            guard Origin.readRequest(socket) != nil else { return }
            try socket.send("HTTP/1.1 200 OK\r\ncontent-length: \(size)\r\n\r\n")
            try socket.send([UInt8](repeating: 0x78, count: size))
        }
        try await withShop(script) { _, port, _ in
            let (first, whole) = try await ask(port, opensWindows: false) { peer in
                let stream = try peer.request()
                var got = 0
                // The standard window (RFC 9113 section 6.9.2).
                while got < 65_535, let frame = try peer.next() {
                    if frame.type == HTTP2Peer.data { got += frame.payload.count }
                }
                let first = got
                try peer.send(HTTP2Peer.windowUpdate, payload: HTTP2Peer.number(size))
                try peer.send(HTTP2Peer.windowUpdate, stream: stream, payload: HTTP2Peer.number(size))
                while let frame = try peer.next() {
                    if frame.type == HTTP2Peer.data { got += frame.payload.count }
                    if frame.endsStream { break }
                }
                return (first, got)
            }
            #expect(first == 65_535)
            #expect(whole == size)
        }
    }

    @Test func aClientThatGivesUpEndsItsRequestAtTheService() async throws {
        let ended = Mutex(false)
        let script: Origin.Script = { socket, origin in
            guard let request = Origin.readRequest(socket) else { return }
            origin.record(request)
            if request.contains("/slow") {
                _ = socket.receiveAll()
                ended.withLock { $0 = true }
            } else {
                try socket.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            }
        }
        try await withShop(script) { _, port, origins in
            let text = try await ask(port) { peer in
                let slow = try peer.request("/slow")
                while origins["payments@shop"]?.requests.isEmpty == true { usleep(1000) }
                try peer.resetStream(slow, 8)
                let other = try peer.request("/quick")
                let message = try peer.message(other)
                for _ in 0..<1000 where !ended.withLock({ $0 }) { usleep(1000) }
                return message.text
            }
            #expect(text == "ok")
            #expect(ended.withLock { $0 })
        }
    }

    @Test func anAnswerThatBreaksOffIsAReset() async throws {
        let script: Origin.Script = { socket, _ in
            guard Origin.readRequest(socket) != nil else { return }
            try socket.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
            socket.shutDown()
        }
        try await withShop(script) { _, port, _ in
            let message = try await ask(port) { try $0.message(try $0.request()) }
            #expect(message.status == "200")
            #expect(message.text == "half")
            #expect(!message.ended && message.reset == 2)
        }
    }

    @Test func anAnswerWithoutALengthEndsWithItsConnection() async throws {
        let script: Origin.Script = { socket, _ in
            guard Origin.readRequest(socket) != nil else { return }
            try socket.send("HTTP/1.1 200 OK\r\n\r\nuntil the end")
        }
        try await withShop(script) { _, port, _ in
            let message = try await ask(port) { try $0.message(try $0.request()) }
            #expect(message.text == "until the end" && message.ended)
        }
    }

    @Test func interimAnswersTrailersAndEarlyAnswersPass() async throws {
        let script: Origin.Script = { socket, _ in
            _ = socket.receive(until: "\r\n\r\n")
            try socket.send("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
            try socket.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            try socket.send("3\r\nabc\r\n0\r\nx-sum: 6\r\n\r\n")
            _ = socket.receiveAll()
        }
        try await withShop(script) { _, port, _ in
            let message = try await ask(port) { peer in
                // The service answers before it has all of the request.
                try peer.message(try peer.request(method: "POST", ends: false))
            }
            try #require(message.heads.count == 3)
            #expect(message.heads[0].first?.value == "103")
            #expect(message.heads[1].first?.value == "200")
            #expect(message.heads[2].map(\.name) == ["x-sum"])
            #expect(message.text == "abc" && message.ended)
        }
    }

    /// Downgrade smuggling: what would be two requests, or another one, for a reader of HTTP/1.1.
    @Test func whatWouldReadOtherwiseAsHTTP1IsRefused() async throws {
        try await withShop { _, port, origins in
            let bad: [[(String, String)]] = [
                [("x-a", "b\r\nx-msx-env: feat-refunds")], [("x-a", "b\nc: d")], [("x-a\r\ny", "b")], [("x:a", "b")],
                [("transfer-encoding", "chunked")], [("connection", "close")], [("upgrade", "websocket")],
                [("content-length", "1")], [("te", "gzip")], [("X-Upper", "a")], [("x a", "b")],
                [("host", "other")], [("content-length", "0"), ("content-length", "1")], [(":path", "/x")],
            ]
            let outcomes = try await ask(port) { peer in
                try bad.map { fields in try peer.message(try peer.request("/bad", fields)) }
            }
            for (fields, outcome) in zip(bad, outcomes) {
                #expect(outcome.reset == 1 || outcome.status == "400", "\(fields): \(outcome)")
            }
            let targets = ["http://evil/", "a", "/a b", "/a\r\nx: y", "*", ""]
            let refused = try await ask(port) { peer in
                try targets.map { path in try peer.message(try peer.request(path)) }
            }
            for (path, outcome) in zip(targets, refused) {
                #expect(outcome.reset == 1 || outcome.status == "400", "\(path): \(outcome)")
            }
            let lengths = try await ask(port) { peer in
                let short = try peer.request(method: "POST", [("content-length", "5")], ends: false)
                try peer.content(short, [0x61], ends: true)
                let long = try peer.request(method: "POST", [("content-length", "1")], ends: false)
                try peer.content(long, Array("aGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n".utf8), ends: true)
                return try peer.messages([short, long]).values.map(\.reset)
            }
            #expect(lengths == [1, 1])
            let requests = origins.values.flatMap(\.requests)
            #expect(requests.filter { $0.contains("/bad") || $0.contains("smuggled") }.isEmpty, "\(requests)")
        }
    }

    @Test func cookieCrumbsBecomeOneAndTheHostHeaderIsEnough() async throws {
        try await withShop { _, port, origins in
            let status = try await ask(port) { peer in
                let fields = [
                    ("host", "shop"), ("cookie", "a=1"), ("cookie", "msx-env=feat-refunds"), ("te", "trailers"),
                ]
                return try peer.message(try peer.request(authority: nil, fields)).status
            }
            #expect(status == "200")
            // At the edge the cookie is a carrier.
            let request = origins["payments@refunds-env"]?.requests.first ?? ""
            #expect(request.contains("cookie: a=1; msx-env=feat-refunds\r\n") && request.contains("host: shop\r\n"))
            #expect(!request.contains("\r\nte: "))
        }
    }

    @Test(arguments: [HTTP2Peer.ping, HTTP2Peer.settings, HTTP2Peer.reset])
    func aFloodOfFramesThatBringNothingEndsTheConnection(type: UInt8) async throws {
        try await withShop { _, port, _ in
            let code = try await ask(port) { peer -> Int? in
                // Only the flood is of interest: what cannot be sent any more was cut off.
                for number in 0..<30_000 {
                    do {
                        switch type {
                        case HTTP2Peer.reset: try peer.resetStream(try peer.request("/\(number)"), 8)
                        case HTTP2Peer.ping: try peer.send(type, payload: [UInt8](repeating: 1, count: 8))
                        default: try peer.send(type)
                        }
                    } catch { break }
                }
                return try? peer.farewell()
            }
            // ENHANCE_YOUR_CALM; the library's own limit for resets says INTERNAL_ERROR. The farewell may be lost where the
            // socket breaks under what is still sent.
            #expect(code == nil || code == 11 || (type == HTTP2Peer.reset && code == 2))
            let (again, status) = try await ask(port) { peer in
                (true, try peer.message(try peer.request("/after")).status)
            }
            #expect(again && status == "200")
        }
    }

    @Test func aHeadWithoutEndIsCutOff() async throws {
        var limits = GatewayLimits()
        limits.headTimeout = .milliseconds(300)
        try await withShop(limits: limits) { _, port, _ in
            let took = try await ask(port) { peer in
                try peer.send(HTTP2Peer.headers, stream: 1, payload: HTTP2Peer.block([(":method", "GET")]))
                return ContinuousClock().measure { _ = peer.socket.receiveAll() }
            }
            // The socket itself gives up after ten seconds.
            #expect(took < .seconds(5))
        }
    }

    @Test func aHeadOver64KiBIsRefusedAndContinuationsEnd() async throws {
        try await withShop { _, port, origins in
            let status = try await ask(port) { peer -> String? in
                let fields = (0..<5).map { ("x-\($0)", String(repeating: "a", count: 15_000)) }
                let pseudo = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")]
                let block = HTTP2Peer.block(pseudo + fields)
                let parts = stride(from: 0, to: block.count, by: 16_000).map {
                    Array(block[$0..<min($0 + 16_000, block.count)])
                }
                for (number, part) in parts.enumerated() {
                    try peer.send(
                        number == 0 ? HTTP2Peer.headers : HTTP2Peer.continuation,
                        flags: (number == 0 ? 1 : 0) | (number == parts.count - 1 ? 4 : 0), stream: 1, payload: part)
                }
                return try peer.message(1).status
            }
            #expect(status == "431" || status == nil)
            #expect(origins.values.flatMap(\.requests).isEmpty)
        }
    }

    @Test func aDrainingGatewaySaysGoodbyeAndFinishesWhatIsOpen() async throws {
        let script: Origin.Script = { socket, origin in
            guard let request = Origin.readRequest(socket) else { return }
            origin.record(request)
            while origin.requests.count < 2 { usleep(1000) }
            try socket.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nlate")
        }
        try await withShop(script) { gateway, port, origins in
            let asking = Task {
                try await ask(port) { peer in
                    let stream = try peer.request()
                    var goodbye: Int?
                    var body: [UInt8] = []
                    while let frame = try peer.next() {
                        if frame.type == HTTP2Peer.goAway {
                            goodbye = frame.code
                            origins["payments@shop"]?.record("go on")
                        }
                        if frame.type == HTTP2Peer.data { body += frame.payload }
                        if frame.stream == stream, frame.endsStream { break }
                    }
                    return (goodbye, String(decoding: body, as: UTF8.self))
                }
            }
            while origins["payments@shop"]?.requests.isEmpty == true { try await Task.sleep(for: .milliseconds(2)) }
            await gateway.plane.shutDown()
            let (goodbye, text) = try await asking.value
            #expect(goodbye == 0)
            #expect(text == "late")
        }
    }
}
