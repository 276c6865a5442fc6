import HTTPTransport
import TestSupport
import Testing

/// However a call ends, its connection ends with it, on both sides.
@Suite struct ConnectionLeakTests {
    private enum Ending: CaseIterable { case answered, timedOut, cancelled, dropped, tooLarge, failed }

    /// `/` answers, `/silent` never does by itself, `/stream` streams without end, `/large` has a body, `/broken` cuts.
    private static let handler: HTTPServer.Handler = { request, _ in
        switch request.path {
        case "/silent":
            // A request may not hold its handler for longer than the client waits; this one goes on a little longer.
            try? await ContinuousClock().sleep(for: .milliseconds(500))  // Cancelled only when the server stops.
            return HTTPResponse(status: 200)
        case "/stream":
            let (stream, continuation) = AsyncThrowingStream.makeStream(of: [UInt8].self)
            continuation.yield([1])
            return HTTPResponse(status: 200, body: .stream(stream))
        case "/broken":
            let (stream, continuation) = AsyncThrowingStream.makeStream(of: [UInt8].self)
            continuation.finish(throwing: Unexpected(what: "broken"))
            return HTTPResponse(status: 200, body: .stream(stream))
        case "/large": return HTTPResponse(status: 200, body: .bytes([UInt8](repeating: 1, count: 300_000)))
        default: return HTTPResponse(status: 200)
        }
    }

    private static func call(_ client: HTTPClient, _ ending: Ending) async throws {
        switch ending {
        case .answered: #expect(try await client.send(HTTPRequest("GET", "/")).status == 200)
        case .timedOut:
            let error = await #expect(throws: HTTPClientError.self) {
                try await client.send(HTTPRequest("GET", "/silent"), timeout: .milliseconds(10))
            }
            #expect(error?.code == .timeout)
        case .cancelled:
            let call = Task { for try await _ in try await client.stream(HTTPRequest("GET", "/stream")).body {} }
            call.cancel()
            _ = await call.result
        case .dropped: _ = try await client.stream(HTTPRequest("GET", "/stream"))
        case .tooLarge:
            let error = await #expect(throws: HTTPClientError.self) {
                try await client.send(HTTPRequest("GET", "/large"), maxResponseBytes: 1000)
            }
            #expect(error?.code == .tooLarge)
        case .failed:
            let error = await #expect(throws: HTTPClientError.self) {
                try await client.send(HTTPRequest("GET", "/broken"))
            }
            #expect(error?.code == .reset)
        }
    }

    @Test func sixteenPlacesAreEnoughForHundredsOfCallsThatEndInEveryWay() async throws {
        try await withTemporaryFolder { folder in
            let limits = HTTPServer.Limits(maxConnections: 16)
            try await withServer(on: .unix(path: folder + "/s"), limits: limits, handler: Self.handler) { address in
                let client = HTTPClient(address)
                for round in 0..<30 {
                    // A timed-out call's handler keeps its place until it ends by itself.
                    for ending in Ending.allCases where ending != .timedOut || round % 10 == 0 {
                        // The server may learn of the last call's end a moment later than the client.
                        try await eventually("a free place") {
                            try await client.send(HTTPRequest("GET", "/")).status == 200 ? true : nil
                        }
                        try await Self.call(client, ending)
                    }
                }
                // All are free again, or this would get a 503.
                try await eventually("sixteen free places") {
                    try await withThrowingTaskGroup(of: Int.self) { group in
                        for _ in 0..<16 {
                            group.addTask { try await client.send(HTTPRequest("GET", "/silent")).status }
                        }
                        return try await group.reduce(into: []) { $0.append($1) } == Array(repeating: 200, count: 16)
                            ? true : nil
                    }
                }
            }
        }
    }

    @Test func aServerStopsAtOnceInTheMiddleOfManyCallsThatAreBeingCancelled() async throws {
        try await withTemporaryFolder { folder in
            let limits = HTTPServer.Limits(stopDeadline: .milliseconds(100))
            let calls = Shared<[Task<Void, any Error>]>([])
            try await withServer(on: .unix(path: folder + "/s"), limits: limits, handler: Self.handler) { address in
                let client = HTTPClient(address)
                for number in 0..<200 {
                    let path = ["/", "/silent", "/stream", "/broken", "/large"][number % 5]
                    // Ended by its cancellation or by the server's end; awaited below.
                    let call = Task { for try await _ in try await client.stream(HTTPRequest("GET", path)).body {} }
                    calls.change { $0.append(call) }
                    if number % 3 == 0 { call.cancel() }
                    if number % 7 == 0 { await Task.yield() }
                }
            }
            for call in calls.value { _ = await call.result }
            let client = HTTPClient(.unix(path: folder + "/s"))
            let error = await #expect(throws: HTTPClientError.self) { try await client.send(HTTPRequest("GET", "/")) }
            #expect(error?.code == .notFound)
        }
    }
}
