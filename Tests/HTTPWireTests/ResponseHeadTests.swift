import HTTPWire
import Testing

@Suite struct ResponseHeadTests {
    private func parse(_ text: String) -> (HeadProgress, ResponseHeadParser) {
        var parser = ResponseHeadParser()
        let progress = Array(text.utf8).withUnsafeBytes { parser.parse($0) }
        return (progress, parser)
    }

    @Test(arguments: [
        ("HTTP/1.1 200\r\n\r\n", false, BodyFraming.untilClose),
        ("HTTP/1.1 200 OK\r\n\r\n", true, .none),
        ("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n", false, .length(7)),
        ("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n", true, .none),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false, .none),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n", false, .chunked),
        ("HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n", false, .none),
        ("HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n", false, .none),
        ("HTTP/1.1 100 Continue\r\n\r\n", false, .none),
    ])
    func framing(_ text: String, _ toHead: Bool, _ expected: BodyFraming) {
        let (progress, parser) = parse(text)
        #expect(progress == .complete(text.utf8.count))
        #expect(parser.framing(toHead: toHead) == expected)
    }

    @Test(arguments: [
        ("HTTP/1.1 20 OK\r\n\r\n", WireViolation.badStatusLine), ("HTTP/1.1 600 X\r\n\r\n", .badStatusLine),
        ("HTTP/2.0 200 OK\r\n\r\n", .badVersion), ("HTTP/1.1  200 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 200OK\r\n\r\n", .badStatusLine), ("HTTP/1.1 200 O\u{1}K\r\n\r\n", .controlByte),
        ("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", .lengthAndTransferEncoding),
        ("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", .differingContentLengths),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n", .unknownTransferEncoding),
        ("HTTP/1.1 200 OK\r\nx: 1\r\n folded\r\n\r\n", .foldedLine),
        ("HTTP/1.1 200 OK\nx: 1\r\n\r\n", .bareLineFeed),
    ])
    func refuses(_ text: String, _ violation: WireViolation) {
        #expect(parse(text).0 == .refused(violation))
    }

    @Test func onlyTheGatewaySpeaksForTheGateway() {
        let text =
            "HTTP/1.1 200 OK\r\nX-MSX-Error: no_endpoint\r\nx-msx-provider: a@b\r\nx-msx-warning: w\r\n"
            + "connection: x-secret, close\r\nx-secret: 1\r\nkeep-alive: 5\r\nx-kept: 2\r\ncontent-length: 2\r\n\r\n"
        let (_, parser) = parse(text)
        let buffer = WireBuffer()
        Array(text.utf8).withUnsafeBytes { bytes in
            buffer.appendResponse(
                parser, bytes, ownLines: Array("x-msx-provider: s@e#r1\r\n".utf8), warning: nil,
                forwarding: ResponseForwarding(connection: .standard, isChunked: false))
        }
        #expect(
            String(decoding: buffer.bytes, as: UTF8.self)
                == "HTTP/1.1 200 OK\r\nx-kept: 2\r\nx-msx-provider: s@e#r1\r\ncontent-length: 2\r\n\r\n")
    }
}
