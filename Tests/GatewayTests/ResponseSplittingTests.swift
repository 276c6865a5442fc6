import Testing

@testable import Gateway

/// What a service can say to make a client, or the next request, take something for an answer that is none.
@Suite struct ResponseSplittingTests {
    private static let next = "GET /next HTTP/1.1\r\nhost: a\r\n\r\n"
    private static let poison = "HTTP/1.1 200 OK\r\nx-id: 0\r\ncontent-length: 6\r\n\r\npoison"

    /// Plays `said` as the answer to `request`, and then a second request; returns what the client got, by answer.
    private func play(
        _ said: String, to request: String = "GET /first HTTP/1.1\r\nhost: a\r\n\r\n", closes: Bool = true,
        _ check: (FuzzCase, [ReferenceAnswer]) -> Void
    ) throws {
        let method = String(request.prefix { $0 != " " })
        for seed in 0..<12 {
            let history = FuzzCase(inputs: [Array((request + Self.next).utf8)], seed: UInt64(seed), mode: .services) {
                request, _ in
                if request.target == "/next" {
                    return FuzzInput.Answer(bytes: Array("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnext".utf8))
                }
                return FuzzInput.Answer(bytes: Array(said.utf8), closes: closes)
            }
            try history.run()
            var answers: [ReferenceAnswer] = []
            var position = 0
            while case .answer(let answer, let end) = ReferenceAnswer.read(
                history.clients[0].output, from: position, method: answers.isEmpty ? method : "GET", ended: true),
                end > position
            {
                answers.append(answer)
                position = end
            }
            check(history, answers)
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\nab", "HTTP/1.1 200 OK\r\ncontent_length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nx: a\r\n b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: a\nset-cookie: b\r\n\r\n", "HTTP/1.1 200 OK\r\nx: a\rset-cookie: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: a\u{0}\r\n\r\n", "HTTP/1.1 200 O\rK\r\n\r\n", "HTTP/1.1 200 OK\nx: y\n\n",
        "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 999 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/2 200\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "<html>", "\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 100 Continue\r\ncontent-length: 6\r\n\r\npoison" + poison,
        String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: 4000),
        "HTTP/1.1 200 OK\r\nx: " + String(repeating: "a", count: 70_000) + "\r\n\r\n",
    ])
    func whatIsNoAnswerIsTheGatewaysToExplain(_ said: String) throws {
        try play(said) { history, answers in
            #expect(answers.map(\.status) == [502, 200])
            #expect(answers.first?.value("x-msx-error") == "upstream_reset")
            #expect(answers.last?.body == Array("next".utf8))
            #expect(history.records.count == 2)
        }
    }

    /// Bodies where none may be, and whole answers behind the answer.
    @Test(arguments: [
        ("GET", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok" + poison, 200),
        ("GET", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + poison, 200),
        ("GET", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n" + poison, 200),
        ("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 57\r\n\r\n" + poison, 200),
        ("HEAD", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200),
        ("GET", "HTTP/1.1 204 No Content\r\ncontent-length: 57\r\n\r\n" + poison, 204),
        ("GET", "HTTP/1.1 304 Not Modified\r\ncontent-length: 57\r\n\r\n" + poison, 304),
    ])
    func whatComesAfterAnAnswerIsNobodys(_ method: String, _ said: String, _ status: Int) throws {
        try play(said, to: "\(method) /first HTTP/1.1\r\nhost: a\r\n\r\n", closes: false) { history, answers in
            #expect(answers.map(\.status) == [status, 200])
            #expect(answers.last?.body == Array("next".utf8))
            #expect(history.origins.count == 2)
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nshort",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokXX0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nset-cookie: a=b\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\nok",
    ])
    func halfAnAnswerLooksLikeHalfAnAnswer(_ said: String) throws {
        try play(said) { history, answers in
            #expect(answers.isEmpty)
            #expect(history.clients[0].link.state == .reset)
            #expect(history.records.count == 1)
        }
    }

    /// Interim answers have no body, whatever they say, and say nothing of the final answer.
    @Test func interimAnswersAreOnlyThat() throws {
        let said =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\nx-msx-provider: y\r\nconnection: close\r\n\r\n"
            + "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
        try play(said, closes: false) { history, answers in
            #expect(answers.map(\.status) == [200, 200])
            let text = String(decoding: history.clients[0].output, as: UTF8.self)
            #expect(
                text.hasPrefix(
                    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\n"))
        }
    }
}
