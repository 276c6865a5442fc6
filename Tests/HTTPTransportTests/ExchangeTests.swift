import HTTPTransport
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// The ordinary way: client and server of this module.
@Suite struct ExchangeTests {
    private static let echo: HTTPServer.Handler = { request, peer in
        let fields = HTTPFields([
            ("x-method", request.method), ("x-path", request.path), ("x-uid", peer.uid.map(String.init) ?? "none"),
            ("x-asked", request.fields["X-Ask"] ?? ""),
        ])
        return HTTPResponse(status: 201, fields: fields, body: .bytes(request.body))
    }

    @Test func aRequestAndItsResponseCrossUnchangedOnTCP() async throws {
        try await withServer(handler: Self.echo) { address in
            guard case .tcp("127.0.0.1", let port) = address else { throw Unexpected(what: "\(address)") }
            #expect(port > 0)
            let request = HTTPRequest(
                "POST", "/v1/things?limit=1", fields: HTTPFields([("x-ask", "yes")]), body: Array("hello".utf8))
            let response = try await HTTPClient(address).send(request)
            #expect(response.status == 201)
            #expect(text(response.body) == "hello")
            #expect(response.fields["X-Method"] == "POST")
            #expect(response.fields["x-path"] == "/v1/things")
            #expect(response.fields["x-asked"] == "yes")
            #expect(response.fields["x-uid"] == "none")
        }
    }

    @Test func onAUnixSocketTheServerKnowsTheUser() async throws {
        try await withTemporaryFolder { folder in
            try await withServer(on: .unix(path: folder + "/s"), handler: Self.echo) { address in
                let response = try await HTTPClient(address).send(HTTPRequest("GET", "/"))
                #expect(response.fields["x-uid"] == String(getuid()))
            }
        }
    }

    @Test func largeBodiesCrossWholeBothWays() async throws {
        let body = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try await withServer(handler: Self.echo) { address in
            let response = try await HTTPClient(address).send(HTTPRequest("PUT", "/", body: body))
            #expect(response.body == body)
        }
    }

    @Test func aHundredRequestsAtOnceGetEachItsOwnAnswer() async throws {
        try await withTemporaryFolder { folder in
            try await withServer(on: .unix(path: folder + "/s"), handler: Self.echo) { address in
                let client = HTTPClient(address)
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<100 {
                        group.addTask {
                            let request = HTTPRequest("POST", "/\(number)", body: Array("body \(number)".utf8))
                            let response = try await client.send(request)
                            return text(response.body) == "body \(number)" && response.fields["x-path"] == "/\(number)"
                        }
                    }
                    var right = 0
                    for try await isRight in group where isRight { right += 1 }
                    #expect(right == 100)
                }
            }
        }
    }

    @Test func headRequestsGetTheLengthAndNoBody() async throws {
        try await withServer { _, _ in
            HTTPResponse(status: 200, body: .bytes(Array("12345".utf8)))
        } _: { address in
            let response = try await HTTPClient(address).send(HTTPRequest("HEAD", "/"))
            #expect(response.fields["content-length"] == "5")
            #expect(response.body.isEmpty)
            let raw = try RawConnection(to: address)
            raw.write("HEAD / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            #expect(try await raw.readToEnd().hasSuffix("\r\n\r\n"))
        }
    }

    @Test(arguments: [204, 304]) func bodilessStatusesCarryNoBody(status: Int) async throws {
        try await withServer { _, _ in
            HTTPResponse(status: status, body: .bytes(Array("must not be sent".utf8)))
        } _: { address in
            let raw = try RawConnection(to: address)
            raw.write("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            let answer = try await raw.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
            #expect(!answer.contains("content-length"))
            #expect(answer.hasSuffix("\r\n\r\n"))
        }
    }

    @Test func aHandlerCannotSmuggleALineIntoItsHead() async throws {
        try await withServer { _, _ in
            HTTPResponse(status: 200, fields: HTTPFields([("x-name", "a\r\nset-cookie: b")]))
        } _: { address in
            let response = try await HTTPClient(address).send(HTTPRequest("GET", "/"))
            #expect(response.status == 500)
            #expect(response.fields["set-cookie"] == nil)
            #expect(text(response.body).contains("\"code\":\"internal\""))
        }
    }

    @Test func framingIsTheTransportsOwn() async throws {
        try await withServer { _, _ in
            let fields = HTTPFields([("Content-Length", "999"), ("Transfer-Encoding", "chunked"), ("Connection", "x")])
            return HTTPResponse(status: 200, fields: fields, body: .bytes(Array("abc".utf8)))
        } _: { address in
            let response = try await HTTPClient(address).send(HTTPRequest("GET", "/"))
            #expect(response.fields["content-length"] == "3")
            #expect(response.fields["transfer-encoding"] == nil)
            #expect(text(response.body) == "abc")
        }
    }

    @Test func aConnectionIsKeptForMoreRequestsAlsoPipelined() async throws {
        try await withServer(handler: Self.echo) { address in
            let raw = try RawConnection(to: address)
            for number in 1...3 {
                raw.write("GET /\(number) HTTP/1.1\r\nhost: a\r\n\r\n")
                #expect(try await raw.read(until: "\r\n\r\n").contains("x-path: /\(number)\r\n"))
            }
            raw.write(
                "POST /4 HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nabGET /5 HTTP/1.1\r\nhost: a\r\n\r\n"
                    + "GET /6 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            let answers = try await raw.readToEnd()
            let order = answers.components(separatedBy: "x-path: /").dropFirst().map { $0.prefix(1) }
            #expect(order == ["4", "5", "6"])
        }
    }

    @Test func oldClientsGetTheEndOfTheConnectionAsTheEndOfAStream() async throws {
        try await withServer { request, _ in
            let (stream, continuation) = AsyncThrowingStream.makeStream(of: [UInt8].self)
            continuation.yield(Array("one".utf8))
            continuation.yield(Array("two".utf8))
            continuation.finish()
            return HTTPResponse(status: 200, body: .stream(stream))
        } _: { address in
            let raw = try RawConnection(to: address)
            raw.write("GET / HTTP/1.0\r\n\r\n")
            let answer = try await raw.readToEnd()
            #expect(answer.hasSuffix("\r\n\r\nonetwo"))
            #expect(!answer.contains("chunked"))
        }
    }

    @Test func aClientThatAsksFirstIsToldToGoOn() async throws {
        try await withServer(handler: Self.echo) { address in
            let raw = try RawConnection(to: address)
            raw.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n")
            #expect(try await raw.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            raw.write("abc")
            #expect(try await raw.read(until: "abc").hasPrefix("HTTP/1.1 201 "))
        }
    }
}

extension String {
    fileprivate func components(separatedBy mark: String) -> [Substring] {
        var parts: [Substring] = []
        var rest = self[...]
        while let range = rest.firstRange(of: mark) {
            parts.append(rest[..<range.lowerBound])
            rest = rest[range.upperBound...]
        }
        return parts + [rest]
    }
}
