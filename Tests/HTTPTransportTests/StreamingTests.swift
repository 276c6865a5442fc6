import HTTPTransport
import TestSupport
import Testing

/// Responses that come bit by bit, and what happens when one side is slow or leaves.
@Suite struct StreamingTests {
    private static let get = HTTPRequest("GET", "/")

    @Test func chunksArriveWhileTheHandlerStillStreams() async throws {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: [UInt8].self)
        try await withServer { _, _ in
            HTTPResponse(status: 200, body: .stream(stream))
        } _: { address in
            let response = try await HTTPClient(address).stream(Self.get)
            var chunks = response.body.makeAsyncIterator()
            for number in 1...3 {
                continuation.yield(Array("chunk \(number)".utf8))
                #expect(try await chunks.next().map(text) == "chunk \(number)")
            }
            continuation.finish()
            #expect(try await chunks.next() == nil)
        }
    }

    @Test func aStreamThatFailsCutsTheConnection() async throws {
        try await withServer { _, _ in
            let (stream, continuation) = AsyncThrowingStream.makeStream(of: [UInt8].self)
            continuation.yield([1])
            continuation.finish(throwing: Unexpected(what: "the log is gone"))
            return HTTPResponse(status: 200, body: .stream(stream))
        } _: { address in
            let error = await #expect(throws: HTTPClientError.self) { try await HTTPClient(address).send(Self.get) }
            #expect(error?.code == .reset)
        }
    }

    @Test(arguments: [true, false]) func aClientThatLeavesEndsTheHandlersStream(byCancelling: Bool) async throws {
        let ended = Shared(false)
        try await withServer { _, _ in
            let (stream, continuation) = AsyncThrowingStream.makeStream(of: [UInt8].self)
            continuation.onTermination = { _ in ended.change { $0 = true } }
            continuation.yield(Array("hello".utf8))
            return HTTPResponse(status: 200, body: .stream(stream))
        } _: { address in
            let (began, begin) = AsyncStream.makeStream(of: Void.self)
            let follow = Task {
                for try await _ in try await HTTPClient(address).stream(Self.get).body {
                    begin.yield()
                    if !byCancelling { break }
                }
            }
            await began.first { _ in true }
            if byCancelling { follow.cancel() }
            _ = await follow.result
            try await eventually("the end of the handler's stream") { ended.value ? true : nil }
        }
    }

    @Test func aRawClientThatJustClosesEndsTheHandlersStream() async throws {
        let ended = Shared(false)
        try await withTemporaryFolder { folder in
            try await withServer(on: .unix(path: folder + "/s")) { _, _ in
                let (stream, continuation) = AsyncThrowingStream.makeStream(of: [UInt8].self)
                continuation.onTermination = { _ in ended.change { $0 = true } }
                continuation.yield(Array("hello".utf8))
                return HTTPResponse(status: 200, body: .stream(stream))
            } _: { address in
                do {
                    let raw = try RawConnection(to: address)
                    raw.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                    #expect(try await raw.read(until: "hello").contains("chunked"))
                    #expect(!ended.value)
                }
                try await eventually("the end of the handler's stream") { ended.value ? true : nil }
            }
        }
    }

    /// Endless chunks of 64 KiB; `made` counts them.
    private static func endless(_ made: Shared<Int>) -> HTTPServer.Handler {
        { _, _ in
            let chunks = AsyncThrowingStream<[UInt8], any Error> {
                made.change { $0 += 1 }
                return [UInt8](repeating: 7, count: 65536)
            }
            return HTTPResponse(status: 200, body: .stream(chunks))
        }
    }

    /// Waits until `made` did not grow for ten looks in a row, and returns it.
    private static func standstill(_ made: Shared<Int>) async throws -> Int {
        var last = -1
        var same = 0
        return try await eventually("back-pressure", lastSeen: { "\(made.value) chunks" }) {
            same = made.value == last && last > 0 ? same + 1 : 0
            last = made.value
            return same >= 10 ? last : nil
        }
    }

    @Test func aSlowReaderStopsTheHandlersStreamAndItGoesOnLater() async throws {
        let made = Shared(0)
        try await withServer(handler: Self.endless(made)) { address in
            let raw = try RawConnection(to: address, receiveBuffer: 65536)
            raw.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            let stoppedAt = try await Self.standstill(made)
            #expect(stoppedAt < 256, "more than 16 MiB were taken for a client that reads nothing")
            for _ in 0..<2000 where made.value <= stoppedAt + 2 { _ = try await raw.readSome() }
            #expect(made.value > stoppedAt)
        }
    }

    @Test func aClientsReaderThatIsSlowStopsTheServerToo() async throws {
        let made = Shared(0)
        try await withTemporaryFolder { folder in
            try await withServer(on: .unix(path: folder + "/s"), handler: Self.endless(made)) { address in
                let response = try await HTTPClient(address).stream(Self.get)
                let stoppedAt = try await Self.standstill(made)
                #expect(stoppedAt < 64)
                var read = 0
                for try await chunk in response.body {
                    read += chunk.count
                    if read > (stoppedAt + 10) * 65536 { break }
                }
                #expect(made.value > stoppedAt)
            }
        }
    }

    @Test func aReaderThatTakesNothingForTheIdleTimeIsCutOff() async throws {
        let ended = Shared(false)
        try await withServer(limits: .init(idleTimeout: .milliseconds(300))) { _, _ in
            let guardian = SaysWhenItGoes(ended)
            let chunks = AsyncThrowingStream<[UInt8], any Error> {
                withExtendedLifetime(guardian) { [UInt8](repeating: 7, count: 65536) }
            }
            return HTTPResponse(status: 200, body: .stream(chunks))
        } _: { address in
            let raw = try RawConnection(to: address, receiveBuffer: 65536)
            raw.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            try await eventually("the end of the handler's stream") { ended.value ? true : nil }
            withExtendedLifetime(raw) {}
        }
    }

    private final class SaysWhenItGoes: Sendable {
        private let gone: Shared<Bool>

        init(_ gone: Shared<Bool>) { self.gone = gone }

        deinit { gone.change { $0 = true } }
    }

    @Test func aHeadRequestForAStreamEndsIt() async throws {
        let ended = Shared(false)
        try await withServer { _, _ in
            let (stream, continuation) = AsyncThrowingStream.makeStream(of: [UInt8].self)
            continuation.onTermination = { _ in ended.change { $0 = true } }
            return HTTPResponse(status: 200, body: .stream(stream))
        } _: { address in
            let raw = try RawConnection(to: address)
            raw.write("HEAD / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            #expect(try await raw.readToEnd().hasSuffix("\r\n\r\n"))
            try await eventually("the end of the handler's stream") { ended.value ? true : nil }
        }
    }
}
