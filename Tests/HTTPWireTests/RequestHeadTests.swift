import HTTPWire
import Testing

/// Every way to make two parsers disagree that we know of, and what is said to it.
@Suite struct RequestHeadTests {
    static let refused: [(String, WireViolation)] = [
        (
            "GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
            .lengthAndTransferEncoding
        ),
        (
            "GET / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n",
            .lengthAndTransferEncoding
        ),
        ("GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n", .differingContentLengths),
        ("GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 5, 5\r\n\r\n", .badContentLength),
        ("GET / HTTP/1.1\r\nhost: a\r\ncontent-length: +5\r\n\r\n", .badContentLength),
        ("GET / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n", .badContentLength),
        ("GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 0x5\r\n\r\n", .badContentLength),
        ("GET / HTTP/1.1\r\nhost: a\r\ncontent-length:\r\n\r\n", .badContentLength),
        ("GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 5 6\r\n\r\n", .badContentLength),
        ("GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 9999999999999999999\r\n\r\n", .badContentLength),
        ("GET / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n", .unknownTransferEncoding),
        ("GET / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n", .unknownTransferEncoding),
        ("GET / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, chunked\r\n\r\n", .unknownTransferEncoding),
        (
            "GET / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
            .unknownTransferEncoding
        ),
        ("GET / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: \"chunked\"\r\n\r\n", .unknownTransferEncoding),
        ("GET / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n", .unknownTransferEncoding),
        ("GET / HTTP/1.1\r\nhost: a\r\ntransfer-encoding:\r\n\r\n", .unknownTransferEncoding),
        ("GET / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: identity\r\n\r\n", .unknownTransferEncoding),
        ("GET / HTTP/1.1\r\nhost: a\r\ntransfer-encoding:\u{0B}chunked\r\n\r\n", .controlByte),
        ("GET / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n", .unknownTransferEncoding),
        ("GET / HTTP/1.1\r\nhost: a\r\ntransfer-encoding : chunked\r\n\r\n", .spaceBeforeColon),
        ("GET / HTTP/1.1\r\nhost : a\r\n\r\n", .spaceBeforeColon),
        ("GET / HTTP/1.1\r\nhost\t: a\r\n\r\n", .spaceBeforeColon),
        ("GET / HTTP/1.1\r\nhost: a\r\nx: 1\r\n folded\r\n\r\n", .foldedLine),
        ("GET / HTTP/1.1\r\nhost: a\r\nx: 1\r\n\tfolded\r\n\r\n", .foldedLine),
        ("GET / HTTP/1.1\r\n host: a\r\n\r\n", .foldedLine),
        ("GET / HTTP/1.1\nhost: a\r\n\r\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\nhost: a\n\r\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\nhost: a\r\n\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\nhost: a\r\nx: 1\ny: 2\r\n\r\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\nhost: a\r\nx: 1\ry: 2\r\n\r\n", .bareCarriageReturn),
        ("GET / HTTP/1.1\r\nhost: a\r\nx: 1\r\r\n\r\n", .bareCarriageReturn),
        ("GET / HTTP/1.1\r\nhost: a\r\nx: 1\u{0}2\r\n\r\n", .controlByte),
        ("GET / HTTP/1.1\r\nhost: a\r\nx: 1\u{7F}\r\n\r\n", .controlByte),
        ("GET / HTTP/1.1\r\nhost: a\r\nx\u{0}: 1\r\n\r\n", .controlByte),
        ("GET / HTTP/1.1\r\nhost: a\r\n: 1\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\nhost: a\r\nno colon\r\n\r\n", .spaceBeforeColon),
        ("GET / HTTP/1.1\r\nhost: a\r\nnocolon\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\nhost: a\r\nx(y): 1\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\nhost: a\r\nxé: 1\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\n\r\n", .missingHost),
        ("GET / HTTP/1.0\r\n\r\n", .missingHost),
        ("GET / HTTP/1.1\r\nhost: a\r\nHost: a\r\n\r\n", .duplicateHost),
        ("GET / HTTP/1.1\r\nhost: a b\r\n\r\n", .badHost),
        ("GET / HTTP/1.1\r\nhost: a, b\r\n\r\n", .badHost),
        ("GET / HTTP/1.1\r\nhost: user@a\r\n\r\n", .badHost),
        ("GET http://b/ HTTP/1.1\r\nhost: a\r\n\r\n", .hostMismatch),
        ("GET ftp://a/ HTTP/1.1\r\nhost: a\r\n\r\n", .badTarget),
        ("GET * HTTP/1.1\r\nhost: a\r\n\r\n", .badTarget),
        ("GET /a#b HTTP/1.1\r\nhost: a\r\n\r\n", .badTarget),
        ("GET a HTTP/1.1\r\nhost: a\r\n\r\n", .badTarget),
        ("GET /é HTTP/1.1\r\nhost: a\r\n\r\n", .badRequestLine),
        ("GET / HTTP/2.0\r\nhost: a\r\n\r\n", .badVersion),
        ("GET / HTTP/1.2\r\nhost: a\r\n\r\n", .badVersion),
        ("GET / http/1.1\r\nhost: a\r\n\r\n", .badVersion),
        ("GET / HTTP/1.1 \r\nhost: a\r\n\r\n", .badVersion),
        ("GET /\r\n\r\n", .badRequestLine),
        ("GET  / HTTP/1.1\r\nhost: a\r\n\r\n", .badRequestLine),
        ("GET\t/ HTTP/1.1\r\nhost: a\r\n\r\n", .controlByteOrLine),
        (" GET / HTTP/1.1\r\nhost: a\r\n\r\n", .badRequestLine),
        ("G(T / HTTP/1.1\r\nhost: a\r\n\r\n", .badRequestLine),
        ("\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n", .badRequestLine),
    ]

    @Test(arguments: refused)
    func refusesAtEverySplit(_ input: String, _ violation: WireViolation) {
        let bytes = Array(input.utf8)
        #expect(parseRequest(bytes) == .failure(violation))
        for split in 0..<bytes.count {
            #expect(parseRequest(bytes, split: split) == .failure(violation), "split at \(split)")
        }
    }

    @Test func parsesAtEverySplit() {
        let head =
            "POST /a?b=c HTTP/1.1\r\nHost: shop.localhost:80\r\nX-Long:   a\tb  \r\nEmpty:\r\nContent-Length: 3\r\n\r\n"
        let bytes = Array((head + "abcGET / HT").utf8)
        let expected = ParsedRequest(
            method: "POST", target: "/a?b=c",
            fields: ["Host=shop.localhost:80", "X-Long=a\tb", "Empty=", "Content-Length=3"], length: head.utf8.count)
        #expect(parseRequest(bytes) == .success(expected))
        for split in 0..<bytes.count { #expect(parseRequest(bytes, split: split) == .success(expected)) }
        for count in 0..<head.utf8.count { #expect(parseRequest(Array(bytes[..<count])) == .success(nil)) }
    }

    @Test func skipsOneEmptyLine() {
        let request = parseRequest(Array("\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n".utf8))
        #expect((try? request.get())?.method == "GET")
    }

    @Test func identicalLengthsAreOne() {
        withRequest("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\n") { request, _ in
            #expect(request.framing == .length(5))
        }
    }

    @Test func limits() {
        let start = "GET / HTTP/1.1\r\nhost: a\r\n"
        let long = Array((start + "x: " + String(repeating: "a", count: 64 << 10)).utf8)
        #expect(parseRequest(long) == .failure(.headTooLarge))
        #expect(parseRequest(long, split: 1000) == .failure(.headTooLarge))
        let many = Array((start + String(repeating: "x: 1\r\n", count: 600) + "\r\n").utf8)
        #expect(parseRequest(many) == .failure(.tooManyFields))
        let room = start.utf8.count + "x: \r\n\r\n".utf8.count
        let full = start + "x: " + String(repeating: "a", count: (64 << 10) - room) + "\r\n\r\n"
        #expect((try? parseRequest(Array(full.utf8)).get())?.length == 64 << 10)
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nhost: a\r\n\r\n", true), ("GET / HTTP/1.0\r\nhost: a\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nhost: a\r\nconnection: Keep-Alive\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nhost: a\r\nconnection: foo, CLOSE\r\n\r\n", false),
    ])
    func keepsAlive(_ head: String, _ expected: Bool) {
        withRequest(head) { request, _ in #expect(request.keepsAlive == expected) }
    }
}

extension WireViolation {
    /// A tab is no control byte in a value, so a tab in the request line is found by its grammar.
    fileprivate static var controlByteOrLine: WireViolation { .badRequestLine }
}
