import API
import Foundation
import HTTPTransport
import TestSupport

/// A server that answers as a test tells it, on a real socket, for as long as `body` runs.
enum FakeServer {
    static func run<T: Sendable>(
        at address: HTTPAddress = .tcp(host: "127.0.0.1", port: 0),
        _ answer: @escaping @Sendable (HTTPRequest) async -> HTTPResponse,
        _ body: @escaping @Sendable (HTTPAddress) async throws -> T
    ) async throws -> T {
        var limits = HTTPServer.Limits()
        limits.stopDeadline = .milliseconds(100)
        let server = HTTPServer(address: address, limits: limits) { request, _ in await answer(request) }
        let (bound, feed) = AsyncStream.makeStream(of: HTTPAddress.self)
        return try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask {
                try await server.run { feed.yield($0) }
                return nil
            }
            group.addTask {
                var bound = bound.makeAsyncIterator()
                guard let address = await bound.next() else { throw NeverHappened(description: "never listened") }
                return try await body(address)
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw NeverHappened(description: "the server ended before the test did")
        }
    }
}

extension HTTPAddress {
    /// For `MICROSTAX_API_URL`.
    var url: String {
        switch self {
        case .tcp(let host, let port): "http://\(host):\(port)"
        case .unix(let path): path
        }
    }
}

extension HTTPResponse {
    static func json(_ data: some Codable & Sendable, status: Int = 200, next: String? = nil) -> HTTPResponse {
        encoded(Reply(data: data, meta: ReplyMeta(requestId: "req_1", next: next)), status)
    }

    static func refusal(_ code: ErrorCode, _ message: String, hint: String? = nil) -> HTTPResponse {
        let error = APIError(code: code.rawValue, message: message, hint: hint)
        return encoded(Failure(error: error, meta: ReplyMeta(requestId: "req_1")), code.status)
    }

    static func text(_ text: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, body: .bytes(Array(text.utf8)))
    }

    /// Server-sent events; the reply ends after them.
    static func events(_ events: [EventView]) -> HTTPResponse { stream(events, isOpen: false) }

    /// The same, but the reply does not end.
    static func openEvents(_ events: [EventView]) -> HTTPResponse { stream(events, isOpen: true) }

    private static func stream(_ events: [EventView], isOpen: Bool) -> HTTPResponse {
        let bytes = events.flatMap { event in
            ServerSentEvents.keepAlive
                + ServerSentEvents.encode(event: "environment", data: String(decoding: data(event), as: UTF8.self))
        }
        return HTTPResponse(
            status: 200, fields: HTTPFields([(name: "content-type", value: "text/event-stream")]),
            body: .stream(
                AsyncThrowingStream { continuation in
                    // Cut in the middle of a character's bytes now and then.
                    for start in stride(from: 0, to: bytes.count, by: 97) {
                        continuation.yield(Array(bytes[start..<min(start + 97, bytes.count)]))
                    }
                    if !isOpen { continuation.finish() }
                }))
    }

    private static func encoded(_ value: some Encodable, _ status: Int) -> HTTPResponse {
        let fields = HTTPFields([(name: "content-type", value: "application/json")])
        return HTTPResponse(status: status, fields: fields, body: .bytes(data(value)))
    }

    private static func data(_ value: some Encodable) -> [UInt8] {
        do {
            return Array(try JSONEncoder().encode(value))
        } catch {
            fatalError("a sample cannot be encoded: \(error)")
        }
    }
}

extension HealthView {
    static let sample = HealthView(
        version: productVersion, pid: 7, startedAt: "2026-11-20T19:00:00Z", folder: "/s", gateway: "running",
        edgePort: 7080)
}
