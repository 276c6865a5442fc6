@testable import Gateway

/// What a client of HTTP/2 sends in a history: requests on streams that are mixed with each other, and more or less broken.
struct FuzzStreams {
    struct Planned {
        var stream: Int
        var request: ReferenceRequest
        /// The copy that its context names; nil for none.
        var copy: Int?
        /// The client loses interest in the midst of it.
        var isReset = false
    }

    var random: FuzzRandom
    private(set) var planned: [Planned] = []

    init(random: FuzzRandom) { self.random = random }

    /// - Parameter isMutated: bytes are changed afterwards, so that nothing is as planned.
    mutating func bytes(client: Int, isMutated: Bool) -> [UInt8] {
        var queues: [[[UInt8]]] = []
        for number in 0...random.below(5) { queues.append(frames(stream: number * 2 + 1, "c\(client)-\(number)")) }
        let window: [UInt8] = [0, 4] + HTTP2Peer.number(1 << 20)
        var frames = [
            HTTP2Peer.frame(HTTP2Peer.settings, payload: random.chance(80) ? window : []),
            HTTP2Peer.frame(HTTP2Peer.windowUpdate, payload: HTTP2Peer.number(1 << 24)),
        ]
        // A stream's number may not be lower than that of one before it (RFC 9113 section 5.1.1): heads keep their order.
        var begun = 0
        while queues.contains(where: { !$0.isEmpty }) {
            let open = queues.indices.filter { !queues[$0].isEmpty && $0 <= begun }
            let place = random.pick(open)
            if place == begun { begun += 1 }
            frames.append(queues[place].removeFirst())
            // Heads in several frames may not be mixed with anything (section 6.10).
            while let next = queues[place].first, next[3] == HTTP2Peer.continuation {
                frames.append(next)
                queues[place].removeFirst()
            }
            if random.chance(5) {
                frames.append(HTTP2Peer.frame(HTTP2Peer.ping, payload: [UInt8](repeating: 7, count: 8)))
            }
        }
        if isMutated { for _ in 0...random.below(3) { mutate(&frames) } }
        return Array(HTTP2Peer.preface.utf8) + frames.joined()
    }

    private mutating func frames(stream: Int, _ marker: String) -> [[UInt8]] {
        var request = ReferenceRequest(
            method: random.pick(["GET", "POST", "PUT", "HEAD", "DELETE"]), target: "/\(marker)")
        var fields = [
            (":method", request.method), (":scheme", "http"), (":path", request.target), (":authority", "a"),
            ("x-marker", marker),
        ]
        var copy: Int? = 0
        if random.chance(30) {
            let context = random.pick(["feat-refunds", "nobody"])
            fields.append(("x-msx-env", context))
            copy = context == "nobody" ? nil : 1
        }
        if random.chance(20) { fields += [("cookie", "a=1"), ("cookie", "b=2")] }
        request.hasBody = request.method != "GET" && random.chance(70)
        if request.hasBody {
            request.body = random.pick([
                Array(FuzzInput.smuggled.utf8), Array("0\r\n\r\n\(FuzzInput.smuggled)".utf8), [],
            ])
            if random.chance(50) { request.body += [UInt8](repeating: 0x61, count: random.below(3000)) }
            if random.chance(50) { fields.append(("content-length", "\(request.body.count)")) }
        }
        var result = head(fields, stream: stream, ends: !request.hasBody)
        if request.hasBody { result += content(request.body, stream: stream) }
        let isReset = random.chance(10)
        if isReset {
            result = Array(result.prefix(1 + random.below(result.count)))
            while let next = result.last, next[4] & 4 == 0,
                next[3] == HTTP2Peer.headers || next[3] == HTTP2Peer.continuation
            {
                result = head(fields, stream: stream, ends: !request.hasBody)
            }
            result.append(HTTP2Peer.frame(HTTP2Peer.reset, stream: stream, payload: HTTP2Peer.number(8)))
        }
        planned.append(Planned(stream: stream, request: request, copy: copy, isReset: isReset))
        return result
    }

    private mutating func head(_ fields: [(String, String)], stream: Int, ends: Bool) -> [[UInt8]] {
        let block = HTTP2Peer.block(fields)
        let cut = random.chance(20) ? 1 + random.below(block.count - 1) : block.count
        let isWhole = cut == block.count
        var result = [
            HTTP2Peer.frame(
                HTTP2Peer.headers, flags: (ends ? 1 : 0) | (isWhole ? 4 : 0), stream: stream,
                payload: Array(block[..<cut]))
        ]
        if !isWhole {
            result.append(
                HTTP2Peer.frame(HTTP2Peer.continuation, flags: 4, stream: stream, payload: Array(block[cut...])))
        }
        return result
    }

    private mutating func content(_ body: [UInt8], stream: Int) -> [[UInt8]] {
        var result: [[UInt8]] = []
        var rest = body[...]
        while !rest.isEmpty {
            let count = min(rest.count, 1 + random.below(700))
            result.append(HTTP2Peer.frame(HTTP2Peer.data, stream: stream, payload: Array(rest.prefix(count))))
            rest = rest.dropFirst(count)
        }
        if !result.isEmpty, random.chance(60) {
            result[result.count - 1][4] |= 1
        } else if random.chance(30) {
            result.append(
                HTTP2Peer.frame(
                    HTTP2Peer.headers, flags: 5, stream: stream, payload: HTTP2Peer.block([("x-sum", "1")])))
        } else {
            result.append(HTTP2Peer.frame(HTTP2Peer.data, flags: 1, stream: stream))
        }
        return result
    }

    /// For people.
    static func frames(of bytes: [UInt8]) -> [String] {
        let names = [
            "DATA", "HEADERS", "PRIORITY", "RST", "SETTINGS", "PUSH", "PING", "GOAWAY", "WINDOW", "CONTINUATION",
        ]
        var result: [String] = []
        var rest = bytes[...]
        while rest.count >= 9 {
            let head = Array(rest.prefix(9))
            let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            let payload = rest.dropFirst(9).prefix(length)
            let name = Int(head[3]) < names.count ? names[Int(head[3])] : "type \(head[3])"
            let code = head[3] == 3 || head[3] == 7 ? " \(Array(payload))" : ""
            result.append("\(name) stream \(head[8]) flags \(head[4]) \(length) bytes\(code)")
            rest = rest.dropFirst(9 + length)
        }
        return result
    }

    private mutating func mutate(_ frames: inout [[UInt8]]) {
        let place = random.below(frames.count)
        switch random.below(8) {
        case 0: frames.remove(at: place)
        case 1: frames.insert(frames[place], at: random.below(frames.count))
        case 2: frames[place][3] = UInt8(random.below(12))
        case 3: frames[place][4] ^= UInt8(1 << random.below(8))
        case 4: frames[place][8] = UInt8(random.below(16))
        case 5: frames[place][2] &+= UInt8(random.below(5)) &- 2
        case 6: frames.swapAt(place, random.below(frames.count))
        default:
            let byte = random.below(frames[place].count)
            frames[place][byte] = random.pick([0, 10, 13, 32, 58, 127, 255, UInt8(random.below(256))])
        }
        if frames.isEmpty { frames.append(HTTP2Peer.frame(HTTP2Peer.settings)) }
    }
}

/// What holds for every history of HTTP/2 that was not mutated: as ``FuzzLaws``, stream by stream.
struct FuzzStreamLaws {
    let history: FuzzCase
    /// By client.
    let planned: [[FuzzStreams.Planned]]

    func check() throws {
        var unused = planned.joined().map { $0 }
        for record in history.records {
            guard let place = unused.firstIndex(where: { $0.request == record.request }) else {
                throw FuzzCase.Finding("a service got \(record.request), which nobody sent (any more)")
            }
            guard unused[place].copy == record.origin else {
                throw FuzzCase.Finding("\(record.request) went to copy \(record.origin)")
            }
            unused.remove(at: place)
        }
        for (number, client) in history.clients.enumerated() where !client.hasEnded {
            let messages = Self.read(client.output)
            for plan in planned[number] where !plan.isReset {
                try check(messages[plan.stream] ?? HTTP2Peer.Message(), plan)
            }
        }
    }

    private func check(_ message: HTTP2Peer.Message, _ plan: FuzzStreams.Planned) throws {
        guard message.ended, message.reset == nil || message.reset == 0 else {
            throw FuzzCase.Finding("\(plan.request) was not answered: \(message)")
        }
        guard plan.copy != nil else {
            guard message.field("x-msx-error") == "unknown_environment" else {
                throw FuzzCase.Finding("\(plan.request) should not be answered by anybody: \(message)")
            }
            return
        }
        for record in history.records where record.request == plan.request {
            let method = record.request.method
            guard
                case .answer(let said, _) = ReferenceAnswer.read(
                    record.answer.bytes, from: 0, method: method, ended: true)
            else { continue }
            if message.status == "\(said.status)", message.body == said.body,
                message.field("x-id") == said.value("x-id")
            {
                return
            }
        }
        throw FuzzCase.Finding("\(plan.request) got another's answer, or a wrong one: \(message)")
    }

    /// What the gateway has sent, by stream.
    static func read(_ bytes: [UInt8]) -> [Int: HTTP2Peer.Message] {
        let inflater = HeaderInflater()
        var messages: [Int: HTTP2Peer.Message] = [:]
        var position = 0
        while position + 9 <= bytes.count {
            let head = Array(bytes[position..<(position + 9)])
            let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            let stream = head[5...8].reduce(0) { $0 << 8 | Int($1) }
            guard position + 9 + length <= bytes.count else { break }
            let payload = Array(bytes[(position + 9)..<(position + 9 + length)])
            position += 9 + length
            var message = messages[stream] ?? HTTP2Peer.Message()
            switch head[3] {
            case HTTP2Peer.headers: message.heads.append(inflater.fields(of: payload))
            case HTTP2Peer.data: message.body += payload
            case HTTP2Peer.reset: message.reset = payload.reduce(0) { $0 << 8 | Int($1) }
            default: continue
            }
            if head[3] <= 1, head[4] & 1 != 0 { message.ended = true }
            messages[stream] = message
        }
        return messages
    }
}
