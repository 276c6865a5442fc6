import NIOCore
import NIOHTTP1

/// The reading end of one exchange. The connection lives no longer than this: the last reference to go closes it.
final class HTTPClientBody: Sendable {
    private let exchange: HTTPClientExchange

    init(_ exchange: HTTPClientExchange) { self.exchange = exchange }

    deinit { exchange.cancel() }

    func head() async throws -> HTTPResponseHead {
        try await withTaskCancellationHandler {
            try await exchange.head.get()
        } onCancel: {
            exchange.cancel()
        }
    }

    /// Nil at the end of the response.
    func next() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try await exchange.nextChunk().get()
        } onCancel: {
            exchange.cancel()
        }
    }
}
