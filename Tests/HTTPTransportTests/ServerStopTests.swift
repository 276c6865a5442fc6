import HTTPTransport
import TestSupport
import Testing

/// What becomes of connections when their server is told to stop.
@Suite struct ServerStopTests {
    private static let get = HTTPRequest("GET", "/")

    /// A server whose handler says that it was entered, then waits until it is released or cancelled.
    private struct Fixture: Sendable {
        let address: HTTPAddress
        let run: Task<Void, any Error>
        let entered: AsyncStream<Void>
        let release: AsyncStream<Void>.Continuation

        static func with(_ limits: HTTPServer.Limits, _ body: (Fixture) async throws -> Void) async throws {
            let (released, release) = AsyncStream.makeStream(of: Void.self)
            let (entered, enter) = AsyncStream.makeStream(of: Void.self)
            let (listening, listen) = AsyncStream.makeStream(of: HTTPAddress.self)
            let server = HTTPServer(address: .tcp(host: "127.0.0.1", port: 0), limits: limits) { _, _ in
                enter.yield()
                for await _ in released { break }
                return HTTPResponse(status: 200, body: .bytes(Array((Task.isCancelled ? "cut" : "done").utf8)))
            }
            // Ended by the test or by the `defer`.
            let run = Task { try await server.run { listen.yield($0) } }
            defer { run.cancel() }
            guard let address = await listening.first(where: { _ in true }) else {
                throw Unexpected(what: "no address")
            }
            try await body(Fixture(address: address, run: run, entered: entered, release: release))
        }
    }

    @Test func aRequestInFlightEndsWellAndNoNewOneIsAccepted() async throws {
        try await Fixture.with(.init()) { server in
            async let answer = HTTPClient(server.address).send(Self.get)
            await server.entered.first { _ in true }
            server.run.cancel()
            try await eventually("refusal of new connections") { () -> Bool? in
                do {
                    _ = try await HTTPClient(server.address).send(Self.get, timeout: .milliseconds(100))
                    return nil
                } catch let error as HTTPClientError {
                    return error.code == .connectRefused ? true : nil
                }
            }
            // Also those that came in while the listener was closing.
            server.release.finish()
            let response = try await answer
            #expect(text(response.body) == "done")
            #expect(response.fields["connection"] == "close")
            try await server.run.value
        }
    }

    @Test func idleConnectionsAreClosedAtOnce() async throws {
        try await Fixture.with(.init(stopDeadline: .seconds(60))) { server in
            let fresh = try RawConnection(to: server.address)
            let kept = try RawConnection(to: server.address)
            server.release.yield()
            kept.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            #expect(try await kept.read(until: "done").hasPrefix("HTTP/1.1 200 "))
            server.run.cancel()
            // The deadline is longer than these reads wait.
            #expect(try await kept.readToEnd() == "")
            #expect(try await fresh.readToEnd() == "")
            try await server.run.value
        }
    }

    @Test func whatTakesLongerThanTheDeadlineIsCut() async throws {
        try await Fixture.with(.init(stopDeadline: .milliseconds(200))) { server in
            let answer = Task { try await HTTPClient(server.address).send(Self.get) }
            await server.entered.first { _ in true }
            server.run.cancel()
            try await server.run.value
            let error = await #expect(throws: HTTPClientError.self) { try await answer.value }
            #expect(error?.code == .reset)
        }
    }

    @Test func aStreamThatFollowsEndsWithTheServer() async throws {
        let ended = Shared(false)
        let reader = Shared<Task<Void, any Error>?>(nil)
        try await withServer(limits: .init(stopDeadline: .milliseconds(200))) { _, _ in
            let (stream, continuation) = AsyncThrowingStream.makeStream(of: [UInt8].self)
            continuation.onTermination = { _ in ended.change { $0 = true } }
            continuation.yield([1])
            return HTTPResponse(status: 200, body: .stream(stream))
        } _: { address in
            let response = try await HTTPClient(address).stream(Self.get)
            // Ended by the server's end, awaited below.
            let task = Task { for try await _ in response.body {} }
            reader.change { $0 = task }
        }
        #expect(ended.value)
        let task = try #require(reader.value)
        await #expect(throws: HTTPClientError.self) { try await task.value }
    }

    /// What tells of changes has no end to wait for; its deadline is longer than this test may take.
    @Test func anEndlessStreamIsCutAtOnce() async throws {
        let clock = ContinuousClock()
        let reader = Shared<Task<Void, any Error>?>(nil)
        let start = Shared<ContinuousClock.Instant?>(nil)
        try await withServer(limits: .init(stopDeadline: .seconds(60))) { _, _ in
            let (stream, continuation) = AsyncThrowingStream.makeStream(of: [UInt8].self)
            continuation.yield([1])
            return HTTPResponse(status: 200, body: .stream(stream), isEndless: true)
        } _: { address in
            let response = try await HTTPClient(address).stream(Self.get)
            let (pieces, piece) = AsyncStream.makeStream(of: Void.self)
            // Ended by the server's end, awaited below.
            let task = Task { for try await _ in response.body { piece.yield() } }
            reader.change { $0 = task }
            await pieces.first { _ in true }
            start.change { $0 = clock.now }
        }
        let took = clock.now - (try #require(start.value))
        #expect(took < .seconds(30))
        let task = try #require(reader.value)
        await #expect(throws: HTTPClientError.self) { try await task.value }
    }

    @Test func aServerCancelledBeforeItStartsNeverListens() async throws {
        let listened = Shared(false)
        let run = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await HTTPServer(address: .tcp(host: "127.0.0.1", port: 0)) { _, _ in HTTPResponse(status: 200) }
                .run { _ in listened.change { $0 = true } }
        }
        await #expect(throws: CancellationError.self) { try await run.value }
        #expect(!listened.value)
    }
}
