/// Makes what clients and services send: by the grammar, and then, more or less, against it.
struct FuzzInput {
    var random: FuzzRandom

    /// A request that a body may hold, and that must never be taken for one.
    static let smuggled = "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n"

    private static let pieces = [
        "\r", "\n", "\r\n", "\r\n\r\n", " ", "\t", ":", ";", ",", "\0", "0", "f", "\u{7F}", "_", "\u{0B}", "0\r\n\r\n",
        "content-length: 3\r\n", "Content-Length: 0\r\n", "content-length : 5\r\n", "content_length: 5\r\n",
        "content-length: +5\r\n", "content-length: 5, 5\r\n", "Content-Length:\t5\r\n", "content-length: 05\r\n",
        "transfer-encoding: chunked\r\n", "Transfer-Encoding:chunked\r\n", "transfer-encoding: xchunked\r\n",
        "transfer-encoding: chunked, identity\r\n", "Transfer-Encoding: \"chunked\"\r\n", "transfer-encoding:\r\n",
        "transfer-encoding:\u{0B}chunked\r\n", "transfer-encoding\r\n : chunked\r\n", " transfer-encoding: chunked\r\n",
        "transfer_encoding: chunked\r\n", "x: y\r\n folded: 1\r\n", "host: b\r\n", "Host: a\r\n", "host: a@b\r\n",
        "connection: close\r\n", "connection: content-length, host\r\n", "connection: keep-alive\r\n",
        "connection: x-msx-env\r\n", "x-msx-env: feat-refunds\r\n", "x_msx_env: feat-refunds\r\n", "x-msx-env: \r\n",
        "x-msx-env: nobody\r\n", "expect: 100-continue\r\n", "expect: x\r\n", "HTTP/1.1", "HTTP/1.0", "http://b",
        "5;ext=\"a\"\r\n", "5\n", "ffffffffffffffff\r\n", "100000000\r\n", "0005\r\n", "5 \r\n", "0;\n\r\n",
        "trailer: x-msx-env\r\n", "x-msx-error: no_endpoint\r\n", "GET / HTTP/1.1\r\nhost: a\r\n\r\n", smuggled,
    ]

    // MARK: Requests

    /// A few requests as one client sends them, mutated or not.
    mutating func requests(client: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in 0...random.below(4) {
            if random.chance(5) { bytes += Array("\r\n".utf8) }
            bytes += request(marker: "c\(client)-\(number)-\(random.below(1000))")
        }
        if random.chance(70) { for _ in 0...random.below(3) { mutate(&bytes) } }
        return bytes
    }

    mutating func goodRequests(client: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in 0...random.below(4) { bytes += request(marker: "c\(client)-\(number)-\(random.below(1000))") }
        return bytes
    }

    private mutating func request(marker: String) -> [UInt8] {
        let method = random.pick(["GET", "GET", "POST", "POST", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "get", "X"])
        let version = random.chance(90) ? "HTTP/1.1" : "HTTP/1.0"
        let form = random.pick(["/\(marker)", "/\(marker)", "/\(marker)?a=b", "http://a/\(marker)", "//\(marker)"])
        var head = "\(method) \(form) \(version)\r\n"
        var lines = [random.pick(["Host: a", "host:a", "HOST:  a "])]
        if random.chance(20) {
            lines.append("x-msx-env: " + random.pick(["feat-refunds", "FEAT-refunds", "feat-child"]))
        }
        if random.chance(5) { lines.append("x-msx-env: " + random.pick(["nobody", "", "a b"])) }
        if random.chance(10) {
            lines.append("Connection: " + random.pick(["close", "keep-alive", "x-hop, Keep-Alive"]))
        }
        if random.chance(10) { lines.append("Expect: 100-continue") }
        if random.chance(30) { lines.append("X-\(marker): \(Self.smuggled.prefix(14))") }
        let body = content(marker)
        var framed: [UInt8] = []
        switch random.below(3) {
        case 0 where method != "GET" || random.chance(20):
            lines.append("Content-Length: \(body.count)")
            framed = body
        case 1 where method != "GET" || random.chance(20):
            lines.append(random.pick(["Transfer-Encoding: chunked", "transfer-encoding: CHUNKED"]))
            framed = chunked(body)
        default: if random.chance(10) { lines.append("content-length: 0") }
        }
        lines.shuffle(using: &random)
        head += lines.map { $0 + "\r\n" }.joined() + "\r\n"
        return Array(head.utf8) + framed
    }

    private mutating func content(_ marker: String) -> [UInt8] {
        switch random.below(4) {
        case 0: Array(Self.smuggled.utf8)
        case 1: Array("0\r\n\r\n\(Self.smuggled)".utf8)
        case 2: Array(marker.utf8)
        default: (0..<random.below(300)).map { _ in UInt8(random.below(256)) }
        }
    }

    mutating func chunked(_ body: [UInt8], isAnswer: Bool = false) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = body[...]
        while !rest.isEmpty {
            let count = min(rest.count, 1 + random.below(60))
            let size = String(count, radix: 16, uppercase: random.chance(50))
            let zeros = random.chance(10) ? "000" : ""
            let suffix = random.chance(10) ? random.pick([";a=b", " ;a", ";a=\"b c\"", ";"]) : ""
            bytes += Array("\(zeros)\(size)\(suffix)\r\n".utf8) + rest.prefix(count) + Array("\r\n".utf8)
            rest = rest.dropFirst(count)
        }
        var trailers = ["x-sum: 1\r\n", "x-a: \r\nx-b: 2\r\n"]
        if !isAnswer { trailers += ["authorization: x\r\n", "x: a\n\n\(Self.smuggled)"] }
        let end = random.chance(10) ? random.pick(trailers) : ""
        return bytes + Array("0\r\n\(end)\r\n".utf8)
    }

    // MARK: Answers

    struct Answer {
        var bytes: [UInt8]
        /// The service closes behind it.
        var closes = false
        var closesCleanly = true
    }

    /// What a service that means well says.
    mutating func goodAnswer(to request: ReferenceRequest, serial: Int) -> Answer {
        let content = Array("answer \(serial)\r\n\(Self.smuggled)HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".utf8)
        let isHead = request.method == "HEAD"
        var text = random.chance(10) ? "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" : ""
        let own = "X-Id: \(serial)\r\n"
        switch random.below(6) {
        case 0:
            text += "HTTP/1.1 200 OK\r\n\(own)Transfer-Encoding: chunked\r\n\r\n"
            return Answer(bytes: Array(text.utf8) + (isHead ? [] : chunked(content, isAnswer: true)))
        case 1: return Answer(bytes: Array((text + "HTTP/1.1 204 No Content\r\n\(own)\r\n").utf8))
        case 2: return Answer(bytes: Array((text + "HTTP/1.1 304 Not Modified\r\n\(own)etag: x\r\n\r\n").utf8))
        case 3 where random.chance(30):
            text += "HTTP/1.1 200 OK\r\n\(own)connection: close\r\n\r\n"
            return Answer(bytes: Array(text.utf8) + (isHead ? [] : content), closes: true)
        default:
            text += "HTTP/1.1 200\r\n\(own)content-length: \(content.count)\r\n\r\n"
            return Answer(bytes: Array(text.utf8) + (isHead ? [] : content))
        }
    }

    private static let evils = [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        "HTTP/1.1 101 X\r\nupgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "", "HTTP/1.1 20",
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort", "HTTP/1.0 200 OK\r\n\r\nuntil the end",
        "HTTP/1.1 200 OK\r\nx: a\nb\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz",
        "HTTP/1.1 204 X\r\ncontent-length: 5\r\n\r\nhello", "HTTP/1.1 100 Continue\r\ncontent-length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nset-cookie: x\r\n\r\n",
    ]

    /// What a broken or hostile service says.
    mutating func badAnswer(to request: ReferenceRequest, serial: Int) -> Answer {
        var answer = goodAnswer(to: request, serial: serial)
        switch random.below(4) {
        case 0:
            answer.bytes = Array(random.pick(Self.evils).utf8)
            answer.closes = random.chance(70)
        case 1:
            mutate(&answer.bytes)
            answer.closes = random.chance(70)
        case 2:
            answer.bytes = Array(answer.bytes.prefix(random.below(answer.bytes.count + 1)))
            answer.closes = random.chance(70)
        default:
            answer.bytes += Array("HTTP/1.1 200 OK\r\nx-id: 0\r\ncontent-length: 6\r\n\r\npoison".utf8)
        }
        answer.closesCleanly = random.chance(50)
        return answer
    }

    // MARK: Against the grammar

    private mutating func mutate(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        let position = random.below(bytes.count)
        switch random.below(9) {
        case 0: bytes[position] ^= 1 << UInt8(random.below(8))
        case 1: bytes.remove(at: position)
        case 2: bytes.insert(UInt8(random.below(256)), at: position)
        case 3:
            let end = min(bytes.count, position + 1 + random.below(60))
            bytes.insert(contentsOf: bytes[position..<end], at: random.below(bytes.count))
        case 4:
            let end = min(bytes.count, position + 1 + random.below(40))
            bytes.removeSubrange(position..<end)
        case 5: bytes.insert(contentsOf: random.pick(Self.pieces).utf8, at: position)
        default:
            // Where a line begins, most of what is known to confuse parsers stands.
            let lines = bytes.indices.filter { $0 > 0 && bytes[$0 - 1] == 0x0A }
            let place = lines.isEmpty ? position : random.pick(lines)
            bytes.insert(contentsOf: random.pick(Self.pieces).utf8, at: place)
        }
    }

    /// Cuts a service's bytes, but leaves in one piece what comes after the answer, with the answer's last byte: if it came
    /// later, nobody could tell it from the next answer.
    mutating func splitKeepingTail(_ answer: Answer, to request: ReferenceRequest) -> [[UInt8]] {
        var end = answer.bytes.count
        switch ReferenceAnswer.read(answer.bytes, from: 0, method: request.method, ended: false) {
        case .answer(_, let found): end = found
        case .refused, .incomplete: break
        }
        guard end < answer.bytes.count else { return split(answer.bytes) }
        let parts = split(Array(answer.bytes[..<(end - 1)]))
        return parts + [Array(answer.bytes[(end - 1)...])]
    }

    /// Cuts as a network would.
    mutating func split(_ bytes: [UInt8]) -> [[UInt8]] {
        var parts: [[UInt8]] = []
        var rest = bytes[...]
        let size = random.pick([1, 7, 40, 400, 4000])
        while !rest.isEmpty {
            let count = min(rest.count, 1 + random.below(size))
            parts.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return parts
    }
}
