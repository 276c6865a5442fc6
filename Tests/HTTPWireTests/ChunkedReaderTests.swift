import HTTPWire
import Testing

@Suite struct ChunkedReaderTests {
    /// Content and length of the whole body, read in parts of `step` bytes.
    private func read(_ text: String, step: Int) -> Result<(content: String, length: Int)?, WireViolation> {
        var reader = ChunkedReader()
        let bytes = Array(text.utf8)
        var content: [UInt8] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + step)
            let part = Array(bytes[start..<end])
            var position = 0
            var event = ChunkedReader.Event.more
            repeat {
                event = part.withUnsafeBytes { reader.next($0, &position) }
                if case .content(let range) = event { content += part[range.range] }
                if case .refused(let violation) = event { return .failure(violation) }
                if event == .done { return .success((String(decoding: content, as: UTF8.self), start + position)) }
            } while event != .more
            start = end
        }
        return .success(nil)
    }

    @Test(arguments: [
        ("5\r\nhello\r\n0\r\n\r\n", "hello"), ("0\r\n\r\n", ""),
        ("5;a=b\r\nhello\r\n00\r\n\r\n", "hello"), ("5 ; a=\"b\"\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!"),
        ("A\r\n0123456789\r\n0\r\nx-sum: 1\r\nx-more: 2\r\n\r\n", "0123456789"),
    ])
    func readsAtEveryStep(_ text: String, _ content: String) throws {
        for step in 1...text.utf8.count {
            let found = try #require(try read(text + "GET", step: step).get())
            #expect(found.content == content)
            #expect(found.length == text.utf8.count)
        }
    }

    @Test(arguments: [
        "\r\n", "g\r\n", "0x5\r\nhello\r\n", "-1\r\n", "+5\r\n", " 5\r\nhello\r\n", "5\nhello\r\n", "5\r\nhelloX\r\n",
        "5\r\nhello\n0\r\n\r\n", "5\r\nhello\r0\r\n\r\n", "5;a\nb\r\nhello\r\n0\r\n\r\n", "5;a\u{0}\r\nhello\r\n",
        "5 6\r\nhello\r\n", "1000000000000000\r\n", "5\rX", "0\r\n x: 1\r\n\r\n", "0\r\nx : 1\r\n\r\n",
        "0\r\ncontent-length: 5\r\n\r\n", "0\r\ntransfer-encoding: chunked\r\n\r\n", "0\r\nhost: b\r\n\r\n",
        "0\r\nx: 1\nfoo: 2\r\n\r\n", "0\r\nx-msx-provider: a\r\n\r\n", "0\r\n\rX",
        "5;\(String(repeating: "a", count: 300))\r\n",
    ])
    func refuses(_ text: String) {
        for step in 1...text.utf8.count {
            guard case .failure = read(text, step: step) else {
                Issue.record("was not refused when read \(step) bytes at a time")
                return
            }
        }
    }

    @Test func lengthEndsWhereItSays() {
        var reader = BodyReader(.length(5))
        Array("hel".utf8).withUnsafeBytes { #expect(reader.consume($0) == (3, .more)) }
        Array("loGET".utf8).withUnsafeBytes { #expect(reader.consume($0) == (2, .done)) }
    }
}
