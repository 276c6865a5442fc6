import HTTPTransport
import Synchronization
import TestSupport

/// A server that runs for as long as `body`, on a free port of the loopback interface unless told otherwise.
func withServer<T: Sendable>(
    on address: HTTPAddress = .tcp(host: "127.0.0.1", port: 0), limits: HTTPServer.Limits = HTTPServer.Limits(),
    unixMode: UInt32 = 0o600, handler: @escaping HTTPServer.Handler, _ body: (HTTPAddress) async throws -> T
) async throws -> T {
    let server = HTTPServer(address: address, limits: limits, unixMode: unixMode, handler: handler)
    let (listening, continuation) = AsyncStream.makeStream(of: HTTPAddress.self)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { continuation.finish() }
            try await server.run { continuation.yield($0) }
        }
        guard let bound = await listening.first(where: { _ in true }) else {
            try await group.waitForAll()
            throw Unexpected(what: "the server ended without listening")
        }
        do {
            let result = try await body(bound)
            group.cancelAll()
            try await group.waitForAll()
            return result
        } catch {
            group.cancelAll()
            throw error
        }
    }
}

/// Something several tasks of a test write and its end reads.
final class Shared<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    var value: Value { state.withLock { $0 } }

    @discardableResult
    func change<T: Sendable>(_ body: (inout Value) -> T) -> T {
        state.withLock { value in body(&value) }
    }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

struct Unexpected: Error { var what: String }
