import HTTPTransport
import TestSupport
import Testing

/// What clients that break the rules, or are slow, get.
@Suite struct BadClientTests {
    private static let ok: HTTPServer.Handler = { request, _ in
        HTTPResponse(status: 200, body: .bytes(Array("\(request.body.count)".utf8)))
    }

    @Test(arguments: [
        "nonsense\r\n\r\n",
        "GET / a HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /\u{7f} HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/2.0\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nbad name: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nname : 1\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}",
    ]) func malformedRequestsGetA400InJSONAndTheEnd(request: String) async throws {
        try await withServer(handler: Self.ok) { address in
            let raw = try RawConnection(to: address)
            raw.write(request)
            let answer = try await raw.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(answer)")
            #expect(answer.contains("connection: close\r\n"))
            #expect(answer.contains("content-type: application/json\r\n"))
            #expect(answer.contains("\r\n\r\n{\"error\":{\"code\":\"malformed_request\",\"message\":\""))
            #expect(answer.hasSuffix("\"},\"meta\":{}}"))
        }
    }

    @Test func aBodyOverTheLimitIsRefusedBeforeItComes() async throws {
        try await withServer(limits: .init(maxBodyBytes: 1000), handler: Self.ok) { address in
            let raw = try RawConnection(to: address)
            raw.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1001\r\n\r\n")
            let answer = try await raw.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 413 "))
            #expect(answer.contains("\"code\":\"payload_too_large\""))
        }
    }

    @Test func aClientThatSendsTooMuchStillGetsToReadWhy() async throws {
        try await withServer(limits: .init(maxBodyBytes: 1000), handler: Self.ok) { address in
            let response = try await HTTPClient(address).send(
                HTTPRequest("POST", "/", body: [UInt8](repeating: 1, count: 3_000_000)))
            #expect(response.status == 413)
        }
    }

    @Test func chunksAreCountedToo() async throws {
        try await withServer(limits: .init(maxBodyBytes: 10), handler: Self.ok) { address in
            let raw = try RawConnection(to: address)
            raw.write("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n6\r\nabcdef\r\n")
            raw.write("5\r\nabcde\r\n0\r\n\r\n")
            #expect(try await raw.readToEnd().hasPrefix("HTTP/1.1 413 "))
            let exact = try RawConnection(to: address)
            exact.write("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\na\r\nabcdefghij\r\n0\r\n\r\n")
            #expect(try await exact.read(until: "\r\n\r\n10").hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test(arguments: ["", "GET / HT", "GET / HTTP/1.1\r\nhost: a\r\nx"]) func aSlowHeadGetsA408(start: String)
        async throws
    {
        try await withServer(limits: .init(headTimeout: .milliseconds(200)), handler: Self.ok) { address in
            let raw = try RawConnection(to: address)
            if !start.isEmpty { raw.write(start) }
            let answer = try await raw.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 408 "))
            #expect(answer.contains("\"code\":\"request_timeout\""))
        }
    }

    @Test func bytesThatTrickleDoNotStretchTheTimeForAHead() async throws {
        try await withServer(limits: .init(headTimeout: .milliseconds(300)), handler: Self.ok) { address in
            let raw = try RawConnection(to: address)
            raw.write("GET / HTTP/1.1\r\n")
            let answer = Shared("")
            async let reading: Void = {
                let text = try await raw.read(until: "}}")
                answer.change { $0 = text }
            }()
            try await eventually("an answer", within: .seconds(5)) {
                raw.write("x")
                return answer.value.isEmpty ? nil : true
            }
            #expect(answer.value.hasPrefix("HTTP/1.1 408 "))
            try await reading
        }
    }

    @Test func aSlowBodyGetsA408() async throws {
        try await withServer(limits: .init(bodyTimeout: .milliseconds(200)), handler: Self.ok) { address in
            let raw = try RawConnection(to: address)
            raw.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc")
            #expect(try await raw.readToEnd().hasPrefix("HTTP/1.1 408 "))
        }
    }

    @Test func anIdleConnectionIsClosedWithoutAWord() async throws {
        try await withServer(limits: .init(idleTimeout: .milliseconds(200)), handler: Self.ok) { address in
            let raw = try RawConnection(to: address)
            raw.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            #expect(try await raw.read(until: "\r\n\r\n0").hasPrefix("HTTP/1.1 200 "))
            #expect(try await raw.readToEnd() == "")
        }
    }

    @Test func aHugeHeadGetsA431() async throws {
        try await withServer(limits: .init(maxHeadBytes: 4096), handler: Self.ok) { address in
            let raw = try RawConnection(to: address)
            let line = "x-filler: " + String(repeating: "a", count: 100) + "\r\n"
            raw.write("GET / HTTP/1.1\r\nhost: a\r\n" + String(repeating: line, count: 3000))
            #expect(try await raw.read(until: "}}").hasPrefix("HTTP/1.1 431 "))
        }
    }

    @Test func aConnectionTooManyGetsA503AndRoomComesBack() async throws {
        try await withServer(limits: .init(maxConnections: 2), handler: Self.ok) { address in
            let get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n"
            var held: [RawConnection] = []
            for _ in 0..<2 {
                let raw = try RawConnection(to: address)
                raw.write(get)
                #expect(try await raw.read(until: "\r\n\r\n0").hasPrefix("HTTP/1.1 200 "))
                held.append(raw)
            }
            let third = try RawConnection(to: address)
            let answer = try await third.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 503 "))
            #expect(answer.contains("retry-after: 1\r\n"))
            #expect(answer.contains("\"code\":\"overloaded\""))
            held.removeAll()
            try await eventually("room for another connection") {
                try await HTTPClient(address).send(HTTPRequest("GET", "/")).status == 200 ? true : nil
            }
        }
    }

    @Test func aClientThatOnlyStopsWritingGetsItsAnswer() async throws {
        try await withServer(handler: Self.ok) { address in
            let raw = try RawConnection(to: address)
            raw.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            raw.finishWriting()
            #expect(try await raw.readToEnd().hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func aHandlerWhoseClientLeftBeforeTheAnswerIsLetFinish() async throws {
        let (entered, enter) = AsyncStream.makeStream(of: Void.self)
        let (released, release) = AsyncStream.makeStream(of: Void.self)
        let outcome = Shared<Bool?>(nil)
        try await withServer { _, _ in
            enter.yield()
            await released.first { _ in true }
            outcome.change { $0 = Task.isCancelled }
            return HTTPResponse(status: 200)
        } _: { address in
            do {
                let raw = try RawConnection(to: address)
                raw.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                await entered.first { _ in true }
            }
            release.yield()
            let wasCancelled = try await eventually("the handler's end") { outcome.value }
            #expect(!wasCancelled)
        }
    }
}
