import HTTPTransport
import TestSupport
import Testing

/// What the client throws, and that it leaves no connection behind.
@Suite struct ClientTests {
    private static let get = HTTPRequest("GET", "/")

    private static func code(_ body: () async throws -> Void) async -> HTTPClientError.Code? {
        await #expect(throws: HTTPClientError.self) { try await body() }?.code
    }

    /// What a client throws that gets `answer`, and the connection's end, which the listener waits for.
    private static func code(
        answer: String, thenClose: Bool = true, _ call: (HTTPClient) async throws -> Void
    ) async throws -> HTTPClientError.Code? {
        let listener = try RawListener()
        async let served: Void = listener.answer(answer, thenClose: thenClose)
        let code = await code { try await call(HTTPClient(listener.address)) }
        try await served
        return code
    }

    @Test func anAddressWhereNobodyListensIsToldFromOneThatIsNotThere() async throws {
        try await withTemporaryFolder { folder in
            let missing = HTTPClient(.unix(path: folder + "/s"))
            #expect(await Self.code { _ = try await missing.send(Self.get) } == .notFound)
            try RawListener.leaveStaleSocket(folder + "/s")
            #expect(await Self.code { _ = try await missing.send(Self.get) } == .connectRefused)
            let long = HTTPClient(.unix(path: folder + String(repeating: "x", count: 200)))
            #expect(await Self.code { _ = try await long.send(Self.get) } == .notFound)
        }
        let port = try {
            guard case .tcp(_, let port) = try RawListener().address else { throw Unexpected(what: "no port") }
            return port
        }()
        let client = HTTPClient(.tcp(host: "127.0.0.1", port: port))
        #expect(await Self.code { _ = try await client.send(Self.get) } == .connectRefused)
    }

    @Test func aServerThatSaysNothingIsATimeoutAndTheConnectionIsClosed() async throws {
        let sent = try await Self.code(answer: "", thenClose: false) {
            _ = try await $0.send(Self.get, timeout: .milliseconds(700))
        }
        #expect(sent == .timeout)
        let streamed = try await Self.code(answer: "HTTP/1.1 200", thenClose: false) {
            _ = try await $0.stream(Self.get, headTimeout: .milliseconds(700))
        }
        #expect(streamed == .timeout)
    }

    @Test func aBodyThatDoesNotEndIsATimeoutToo() async throws {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"
        let code = try await Self.code(answer: answer, thenClose: false) {
            _ = try await $0.send(Self.get, timeout: .milliseconds(700))
        }
        #expect(code == .timeout)
    }

    @Test func aListenerThatNeverAcceptsIsATimeout() async throws {
        // The kernel completes the connection; nobody ever reads the request.
        let listener = try RawListener()
        let code = await Self.code {
            _ = try await HTTPClient(listener.address).send(Self.get, timeout: .milliseconds(700))
        }
        #expect(code == .timeout)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\ncontent-length: 100001\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 100_001),
        "HTTP/1.1 200 OK\r\n" + String(repeating: "x-filler: 0123456789\r\n", count: 30_000) + "\r\n",
    ]) func responsesOverALimitAreCutOff(answer: String) async throws {
        let code = try await Self.code(answer: answer, thenClose: false) {
            _ = try await $0.send(Self.get, maxResponseBytes: 100_000)
        }
        #expect(code == .tooLarge)
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\ncontent-le", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"])
    func aServerThatClosesTooEarlyIsAReset(answer: String) async throws {
        let code = try await Self.code(answer: answer) { _ = try await $0.send(Self.get) }
        #expect(code == .reset)
    }

    @Test(arguments: ["SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n"])
    func whatIsNotHTTPIsMalformed(answer: String) async throws {
        let code = try await Self.code(answer: answer, thenClose: false) { _ = try await $0.send(Self.get) }
        #expect(code == .malformed)
    }

    @Test(arguments: [
        HTTPRequest("GET /x HTTP/1.1\r\n", "/"), HTTPRequest("GET", "/a b"), HTTPRequest("GET", "a"),
        HTTPRequest("GET", "/\r\nx: y"), HTTPRequest("GET", "/", fields: HTTPFields([("x", "a\nb")])),
        HTTPRequest("GET", "/", fields: HTTPFields([("x y", "a")])),
    ]) func aRequestThatCannotBeWrittenIsNeverSent(request: HTTPRequest) async throws {
        let client = HTTPClient(.unix(path: "/nowhere"))
        #expect(await Self.code { _ = try await client.send(request) } == .malformed)
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"])
    func cancellingACallClosesItsConnection(answer: String) async throws {
        let listener = try RawListener()
        let call = Task { try await HTTPClient(listener.address).send(Self.get) }
        async let served: Void = {
            // Returns once the client has closed.
            try await listener.answer(answer, thenClose: false)
        }()
        try await listener.accepted()
        call.cancel()
        try await served
        await #expect(throws: CancellationError.self) { try await call.value }
    }

    @Test func droppingAStreamClosesItsConnection() async throws {
        let listener = try RawListener()
        async let served: Void = listener.answer("HTTP/1.1 200 OK\r\n\r\nabc", thenClose: false)
        do {
            let response = try await HTTPClient(listener.address).stream(Self.get)
            #expect(response.status == 200)
        }
        try await served
    }

    @Test func aBodyWithoutLengthEndsWithTheConnection() async throws {
        let listener = try RawListener()
        async let served: Void = listener.answer("HTTP/1.1 200 OK\r\nx-a: b\r\n\r\nabc", thenClose: true)
        let response = try await HTTPClient(listener.address).send(Self.get)
        #expect(text(response.body) == "abc")
        #expect(response.fields["X-A"] == "b")
        try await served
    }
}
