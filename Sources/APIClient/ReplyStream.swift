import API
import FoundationEssentials
import HTTPTransport

/// A reply that comes piece by piece: server-sent events or JSON lines, decoded as they arrive.
///
/// Ending the iteration closes the connection. Read by one task, once.
package struct ReplyStream<Element: Codable & Sendable>: AsyncSequence, Sendable {
    package enum Format: Sendable {
        case serverSentEvents, jsonLines
    }

    /// Longest line that is read.
    static var maxLineBytes: Int { 16 << 20 }

    private let chunks: AsyncThrowingStream<[UInt8], any Error>
    private let format: Format
    private let address: HTTPAddress

    init(_ chunks: AsyncThrowingStream<[UInt8], any Error>, format: Format, address: HTTPAddress) {
        self.chunks = chunks
        self.format = format
        self.address = address
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(chunks: chunks.makeAsyncIterator(), format: format, address: address)
    }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate var chunks: AsyncThrowingStream<[UInt8], any Error>.Iterator
        fileprivate let format: Format
        fileprivate let address: HTTPAddress
        private var parser = ServerSentEvents.Parser(maxEventBytes: ReplyStream.maxLineBytes)
        private var partialLine: [UInt8] = []
        /// Decoded and not yet given out, in reverse order.
        private var ready: [Element] = []

        fileprivate init(
            chunks: AsyncThrowingStream<[UInt8], any Error>.Iterator, format: Format, address: HTTPAddress
        ) {
            self.chunks = chunks
            self.format = format
            self.address = address
        }

        /// `nil` when the server ended the reply.
        package mutating func next() async throws -> Element? {
            while true {
                if let element = ready.popLast() { return element }
                guard let chunk = try await nextChunk() else {
                    guard partialLine.isEmpty else {
                        throw ConnectionFailure(.broken, address, "the reply ended within a line")
                    }
                    return nil
                }
                ready = try messages(in: chunk).map(decode).reversed()
            }
        }

        private mutating func nextChunk() async throws -> [UInt8]? {
            do {
                return try await chunks.next()
            } catch let error as HTTPClientError {
                throw ConnectionFailure(error, address)
            }
        }

        private mutating func messages(in chunk: [UInt8]) throws -> [[UInt8]] {
            switch format {
            case .serverSentEvents:
                let events = parser.feed(chunk)
                guard parser.oversized == 0 else { throw tooLong }
                return events.map { Array($0.data.utf8) }.filter { !$0.isEmpty }
            case .jsonLines:
                var lines: [[UInt8]] = []
                var rest = chunk[...]
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = partialLine + rest[..<end]
                    partialLine = []
                    if !line.isEmpty { lines.append(line) }
                    rest = rest[(end + 1)...]
                }
                partialLine += rest
                guard partialLine.count <= ReplyStream.maxLineBytes else { throw tooLong }
                return lines
            }
        }

        private var tooLong: ConnectionFailure {
            ConnectionFailure(.malformed, address, "a message is longer than \(ReplyStream.maxLineBytes) bytes")
        }

        private func decode(_ message: [UInt8]) throws -> Element {
            let decoder = JSONDecoder()
            do {
                return try decoder.decode(Element.self, from: Data(message))
            } catch {
                // A server that fails after the head was sent says so in the stream.
                if let failure = try? decoder.decode(API.Failure.self, from: Data(message)) {
                    throw APIFailure(status: 500, error: failure.error, requestId: failure.meta.requestId)
                }
                throw ConnectionFailure(.malformed, address, "a message is not what this client understands: \(error)")
            }
        }
    }
}
