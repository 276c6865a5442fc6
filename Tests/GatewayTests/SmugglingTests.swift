import Testing

@testable import Gateway

/// The classes of HTTP/1.1 request smuggling that the literature knows, one by one: what reaches a service, and what the
/// client is told. Each is played with many cuts of its bytes; the fuzzer's laws hold for each as well. The table in
/// docs/internals/strictness.md names these.
@Suite struct SmugglingTests {
    struct Attack: Sendable, CustomTestStringConvertible {
        let name: String
        let input: String
        /// Method, target and body of what reaches a service, in order.
        var forwarded: [String] = []
        var statuses = [400]

        var testDescription: String { name }
    }

    static let smuggled = FuzzInput.smuggled
    private static let post = "POST /p HTTP/1.1\r\nhost: a\r\n"
    private static let chunked = "POST /p HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"

    /// Two readings of where a message ends.
    static let lengths: [Attack] = [
        Attack(
            name: "CL.TE", input: post + "content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nG" + smuggled),
        Attack(name: "TE.CL", input: post + "transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n5c\r\n" + smuggled),
        Attack(name: "CL.CL", input: post + "content-length: 0\r\ncontent-length: 35\r\n\r\n" + smuggled),
        Attack(name: "CL list", input: post + "content-length: 0, 35\r\n\r\n" + smuggled),
        Attack(name: "CL with a sign", input: post + "content-length: +35\r\n\r\n" + smuggled),
        Attack(name: "CL beyond 64 bits", input: post + "content-length: 18446744073709551652\r\n\r\n" + smuggled),
        Attack(
            name: "CL.0: a body stays a body", input: post + "content-length: 35\r\n\r\n" + smuggled,
            forwarded: ["POST /p " + smuggled], statuses: [200]),
        Attack(
            name: "CL twice the same", input: post + "content-length: 1\r\ncontent-length: 01\r\n\r\nx",
            forwarded: ["POST /p x"], statuses: [200]),
        Attack(name: "0.CL by a space", input: post + "content-length : 35\r\n\r\n" + smuggled),
        Attack(name: "0.CL by an underscore", input: post + "content_length: 35\r\n\r\n" + smuggled),
        Attack(name: "0.CL by a control byte", input: post + "content-length\u{0B}: 35\r\n\r\n" + smuggled),
        Attack(name: "0.CL by a fold", input: post + "x: y\r\n content-length: 35\r\n\r\n" + smuggled),
        Attack(
            name: "TE in HTTP/1.0", input: "POST /p HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        Attack(
            name: "0.TE by an underscore",
            input: post + "transfer_encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n" + smuggled),
    ]

    /// TE.TE: one of two parsers overlooks it.
    static let codings = [
        "Transfer-Encoding: xchunked", "Transfer-Encoding : chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
        "Transfer-Encoding:\u{0B}chunked", " Transfer-Encoding: chunked", "X: X\nTransfer-Encoding: chunked",
        "Transfer-Encoding\r\n : chunked", "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunked;q=1", "Transfer-Encoding: 'chunked'",
        "Transfer-Encoding:\r\n chunked", "Transfer-Encoding: ch\u{0}unked", "Transfer-Encoding: chunk",
        "Transfer-Encoding: \u{17F}chunked", "Transfer-Encoding:", "\u{0}Transfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r", "Foo: bar\rTransfer-Encoding: chunked", "Transfer\u{A0}Encoding : chunked",
    ]

    /// What stands where a chunk should: after the head of a chunked request.
    static let chunks = [
        "5\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhelloXX0\r\n\r\n", "5\r\nhello0\r\n\r\n",
        "5\r\nhell\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n", "5\t\r\nhello\r\n0\r\n\r\n", "5_\r\nhello\r\n0\r\n\r\n",
        "\r\n5\r\nhello\r\n0\r\n\r\n",
        "5\r\r\nhello\r\n0\r\n\r\n", ";a\r\nhello\r\n0\r\n\r\n",
        // TERM.EXT and EXT.TERM: a line's end within an extension.
        "5;a\nhello\r\n0\r\n\r\n", "5;a\rb\r\nhello\r\n0\r\n\r\n", "5;a=\"\r\n\"\nhello\r\n0\r\n\r\n",
        "5;\u{0}\r\nhello\r\n0\r\n\r\n",
        "5;" + String(repeating: "a", count: 300) + "\r\nhello\r\n0\r\n\r\n",
        // Sizes that wrap around.
        "ffffffffffffffff\r\nhello", "10000000000000005\r\nhello\r\n0\r\n\r\n", "100000005\r\nhello\r\n0\r\n\r\n",
        "80000000\r\nhello", "00000000000000000005\r\nhello\r\n0\r\n\r\n",
    ]

    static let trailers = [
        "content-length: 5", "transfer-encoding: chunked", "host: b", "x-msx-env: feat-refunds", "X_MSX_ENV: a",
        "x-forwarded-for: 1.1.1.1", "authorization: x", "cookie: a=b", "content-type: x", " folded: x", "x : y", "x",
        "x: a\nb",
        "x: a\rb", "connection: close", "upgrade: x", "te: x", "x-msx-error: no_endpoint",
    ]

    static let heads: [Attack] = [
        Attack(name: "obs-fold", input: post + "x: a\r\n b\r\n\r\n" + smuggled),
        Attack(name: "NUL in a value", input: post + "x: a\u{0}b\r\n\r\n" + smuggled),
        Attack(name: "CR in a value", input: post + "x: a\rb\r\n\r\n" + smuggled),
        Attack(name: "LF in a value", input: post + "x: a\nb\r\n\r\n" + smuggled),
        Attack(name: "LF ends the head", input: "POST /p HTTP/1.1\r\nhost: a\r\n\n" + smuggled),
        Attack(name: "DEL in a name", input: post + "x\u{7F}: a\r\n\r\n" + smuggled),
        Attack(name: "no name", input: post + ": a\r\n\r\n" + smuggled),
        Attack(name: "no host", input: "GET / HTTP/1.1\r\n\r\n" + smuggled),
        Attack(name: "two hosts", input: "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n" + smuggled),
        Attack(name: "two hosts the same", input: "GET / HTTP/1.1\r\nhost: a\r\nHost: a\r\n\r\n" + smuggled),
        Attack(name: "target against host", input: "GET http://b/ HTTP/1.1\r\nhost: a\r\n\r\n" + smuggled),
        Attack(name: "user in the target", input: "GET http://a@b/ HTTP/1.1\r\nhost: b\r\n\r\n" + smuggled),
        Attack(name: "two hosts in one", input: "GET / HTTP/1.1\r\nhost: a, b\r\n\r\n" + smuggled),
        Attack(name: "host with a path", input: "GET / HTTP/1.1\r\nhost: a/b\r\n\r\n" + smuggled),
        Attack(name: "host with a query", input: "GET / HTTP/1.1\r\nhost: a?b\r\n\r\n" + smuggled),
        Attack(name: "host with a fragment", input: "GET / HTTP/1.1\r\nhost: a#b\r\n\r\n" + smuggled),
        Attack(name: "host with a backslash", input: "GET / HTTP/1.1\r\nhost: a\\b\r\n\r\n" + smuggled),
        Attack(name: "host with a word for a port", input: "GET / HTTP/1.1\r\nhost: a:b\r\n\r\n" + smuggled),
        Attack(name: "HTTP/0.9", input: "GET /\r\n" + smuggled),
        Attack(name: "unknown version", input: "GET / HTTP/1.2\r\nhost: a\r\n\r\n" + smuggled),
        Attack(name: "two spaces", input: "GET  / HTTP/1.1\r\nhost: a\r\n\r\n" + smuggled),
        Attack(
            name: "a request in the target", input: "GET / HTTP/1.1\\r\\nx: /y HTTP/1.1\r\nhost: a\r\n\r\n" + smuggled),
        Attack(name: "fragment", input: "GET /a#b HTTP/1.1\r\nhost: a\r\n\r\n" + smuggled),
        Attack(name: "another scheme", input: "GET file:///etc HTTP/1.1\r\nhost: a\r\n\r\n" + smuggled),
        Attack(name: "asterisk", input: "GET * HTTP/1.1\r\nhost: a\r\n\r\n" + smuggled),
        Attack(name: "CONNECT", input: "CONNECT b:80 HTTP/1.1\r\nhost: b:80\r\n\r\n" + smuggled, statuses: [501]),
        Attack(
            name: "forged context",
            input: "GET / HTTP/1.1\r\nhost: a\r\nx_msx_env: feat-refunds\r\nconnection: close\r\n\r\n"),
        Attack(
            name: "forged sender", input: "GET / HTTP/1.1\r\nhost: a\r\nx_forwarded_for: 1.1.1.1\r\n\r\n" + smuggled),
        Attack(
            name: "pipelined after close", input: "GET /a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n" + smuggled,
            forwarded: ["GET /a "], statuses: [200]),
        Attack(
            name: "pipelined after HTTP/1.0", input: "GET /a HTTP/1.0\r\nhost: a\r\n\r\n" + smuggled,
            forwarded: ["GET /a "], statuses: [200]),
        Attack(
            name: "hop-by-hop",
            input: post
                + "connection: content-length, host, x-msx-env, transfer-encoding, keep-alive\r\nx-msx-env: feat-refunds\r\n"
                + "content-length: 35\r\n\r\n" + smuggled, forwarded: ["POST /p " + smuggled], statuses: [200]),
        Attack(
            name: "names in any case",
            input: "POST /p HTTP/1.1\r\nHOST: a\r\nX-MSX-Env: FEAT-refunds\r\ncOnTeNt-LeNgTh: 1\r\n\r\nx",
            forwarded: ["POST /p x"], statuses: [200]),
        Attack(
            name: "h2c",
            input: "GET /a HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\n"
                + "http2-settings: AAMAAABkAAQAAP__\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            forwarded: ["GET /a "], statuses: [200, 400]),
        Attack(
            name: "an upgrade that is declined",
            input: "GET /a HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
                + "sec-websocket-version: 1\r\n\r\n" + "GET /b HTTP/1.1\r\nhost: a\r\n\r\n",
            forwarded: ["GET /a ", "GET /b "], statuses: [200, 200]),
        Attack(
            name: "an upgrade with a body",
            input: "POST /a HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
                + "content-length: 35\r\n\r\n" + smuggled, forwarded: ["POST /a " + smuggled], statuses: [200]),
        Attack(
            name: "obscured expectations",
            input: post + "expect: x 100-continue\r\ncontent-length: 35\r\n\r\n" + smuggled,
            forwarded: ["POST /p " + smuggled], statuses: [200]),
        Attack(
            name: "absolute form",
            input: "OPTIONS http://a HTTP/1.1\r\nhost: a\r\n\r\nGET http://A?q HTTP/1.1\r\nhost: a\r\n\r\n",
            forwarded: ["OPTIONS * ", "GET /?q "], statuses: [200, 200]),
    ]

    @Test(arguments: lengths + heads) func reachesNobodyOrIsOneRequest(_ attack: Attack) throws { try play(attack) }

    @Test(arguments: codings) func obscuredCodings(_ line: String) throws {
        let body = "\r\n\r\n0\r\n\r\n" + Self.smuggled
        try play(Attack(name: line, input: Self.post + line + body))
        try play(Attack(name: line, input: Self.post + "content-length: 5\r\n" + line + body))
    }

    @Test(arguments: chunks) func brokenChunks(_ chunk: String) throws {
        try play(Attack(name: chunk, input: Self.chunked + chunk + Self.smuggled))
    }

    @Test(arguments: trailers) func smuggledTrailers(_ line: String) throws {
        try play(Attack(name: line, input: Self.chunked + "1\r\nx\r\n0\r\n\(line)\r\n\r\n" + Self.smuggled))
    }

    /// CL.0 and TE.0: a service that overlooks the body of such a request would take it for the next one.
    @Test(arguments: ["GET", "HEAD", "DELETE", "OPTIONS"])
    func aConnectionIsNotUsedAgainAfterABodyThatHasNoMeaning(_ method: String) throws {
        for body in [
            "content-length: 35\r\n\r\n" + Self.smuggled, "transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        ] {
            let input = "\(method) /a HTTP/1.1\r\nhost: a\r\n" + body + "GET /b HTTP/1.1\r\nhost: a\r\n\r\n"
            for seed in 0..<10 {
                let history = FuzzCase(inputs: [Array(input.utf8)], seed: UInt64(seed), script: Self.ok)
                try history.run()
                #expect(history.origins.count == 2)
            }
        }
    }

    @Test func headersThatAreTooManyOrTooLarge() throws {
        let large = "GET / HTTP/1.1\r\nhost: a\r\nx: " + String(repeating: "a", count: 70_000) + "\r\n\r\n"
        let many = "GET / HTTP/1.1\r\nhost: a\r\n" + String(repeating: "x: y\r\n", count: 600) + "\r\n"
        let target = "GET /" + String(repeating: "a", count: 70_000) + " HTTP/1.1\r\nhost: a\r\n\r\n"
        for input in [large, many, target] {
            try play(Attack(name: "large", input: input + Self.smuggled, statuses: [431]), seeds: 3)
        }
    }

    private static func ok(_ request: ReferenceRequest, _ number: Int) -> FuzzInput.Answer {
        let body = request.method == "HEAD" ? "" : "ok"
        return FuzzInput.Answer(bytes: Array("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\(body)".utf8))
    }

    private func play(_ attack: Attack, seeds: Int = 12) throws {
        for seed in 0..<seeds {
            let history = FuzzCase(inputs: [Array(attack.input.utf8)], seed: UInt64(seed), script: Self.ok)
            try history.run()
            let got = history.records.map {
                "\($0.request.method) \($0.request.target) \(String(decoding: $0.request.body, as: UTF8.self))"
            }
            let statuses = Self.statuses(history.clients[0].output, attack)
            guard got != attack.forwarded || statuses != attack.statuses else { continue }
            Issue.record("\(attack.name), seed \(seed): forwarded \(got), answered \(statuses)")
            return
        }
    }

    private static func statuses(_ output: [UInt8], _ attack: Attack) -> [Int] {
        var position = 0
        var statuses: [Int] = []
        while case .answer(let answer, let end) = ReferenceAnswer.read(
            output, from: position,
            method: attack.forwarded.dropFirst(statuses.count).first.map { String($0.prefix { $0 != " " }) } ?? "GET",
            ended: true), end > position
        {
            statuses.append(answer.status)
            position = end
        }
        return statuses
    }
}
