@testable import Gateway

/// What holds for every history: one request in is one request out, with the same method, target and body, at the copy that
/// its context names; nothing of one is ever read as another; every answer belongs to its request; nobody waits for ever.
struct FuzzLaws {
    private typealias Finding = FuzzCase.Finding

    /// What one client sent, as the reference reads it.
    private struct Sent {
        enum End {
            case clean, closed
            case partial(ReferenceRequest?)
            case refused(String, ReferenceRequest?)
            case connect
        }
        var requests: [ReferenceRequest] = []
        var end = End.clean

        /// Of what is no whole request, where its head is one.
        var lastMethod: String {
            switch end {
            case .partial(let head?), .refused(_, let head?): head.method
            default: "GET"
            }
        }
    }

    private let history: FuzzCase
    private var sent: [Sent] = []

    init(_ history: FuzzCase) {
        self.history = history
        sent = history.clients.map { Self.read($0.input) }
    }

    func check() throws {
        try checkForwarded()
        for (number, client) in history.clients.enumerated() { try checkAnswers(client, sent[number]) }
    }

    private static func read(_ input: [UInt8]) -> Sent {
        var sent = Sent()
        var position = 0
        while position < input.count {
            switch ReferenceRequest.read(input, from: position) {
            case .request(let request, let end):
                sent.requests.append(request)
                position = end
                if !request.keepsAlive {
                    sent.end = .closed
                    return sent
                }
                // A gateway's own answer leaves no connection behind where the request's body was not read.
                if case .error = Expected(request), request.hasBody || request.isHTTP10 {
                    sent.end = .closed
                    return sent
                }
            case .incomplete(let head):
                sent.end = .partial(head)
                return sent
            case .refused(let reason, let head):
                sent.end = .refused(reason, head)
                return sent
            case .connect:
                sent.end = .connect
                return sent
            }
        }
        return sent
    }

    // MARK: What the services got

    private func checkForwarded() throws {
        var unused = sent.flatMap(\.requests)
        var lastWasEmpty: [String: Int] = [:]
        for record in history.records {
            let key = "\(record.request)"
            if let place = unused.firstIndex(of: record.request) {
                if case .copy(let origin) = Expected(unused[place]), origin != record.origin {
                    throw Finding("\(record.request) went to copy \(record.origin)")
                }
                unused.remove(at: place)
            } else if lastWasEmpty[key, default: 0] > 0 {
                // It was repeated because its first connection was closed without a byte.
                lastWasEmpty[key, default: 0] -= 1
            } else {
                throw Finding("a service got \(record.request), which nobody sent (any more)")
            }
            let isSafe = ["GET", "HEAD", "OPTIONS", "TRACE"].contains(record.request.method)
            if record.answer.bytes.isEmpty, record.answer.closes, isSafe, !record.request.hasBody {
                lastWasEmpty[key, default: 0] += 1
            }
        }
        for origin in history.origins { try checkBrokenOff(origin) }
    }

    /// What a service got of a request that never ended is the beginning of one that was sent.
    private func checkBrokenOff(_ origin: FuzzCase.OriginEnd) throws {
        guard origin.read < origin.received.count, !origin.isClosed, origin.closing == nil else { return }
        guard case .incomplete(let head) = ReferenceRequest.read(origin.received, from: origin.read) else { return }
        guard origin.link.isGone else {
            throw Finding("a service waits for the rest of a request: \(show(origin.received[origin.read...]))")
        }
        guard let head else { return }
        let heads = sent.flatMap { sent -> [ReferenceRequest] in
            switch sent.end {
            case .partial(let head?), .refused(_, let head?): sent.requests + [head]
            default: sent.requests
            }
        }
        guard
            heads.contains(where: {
                $0.method == head.method && $0.target == head.target && $0.body.starts(with: head.body)
            })
        else { throw Finding("a service got the beginning of \(head), which nobody sent") }
    }

    // MARK: What the clients got

    private func checkAnswers(_ client: FuzzCase.Client, _ sent: Sent) throws {
        var position = 0
        var number = 0
        while position < client.output.count {
            let request = number < sent.requests.count ? sent.requests[number] : nil
            switch ReferenceAnswer.read(
                client.output, from: position, method: request?.method ?? sent.lastMethod,
                ended: client.link.state != .reset)
            {
            case .answer(let answer, let end):
                if let request {
                    try check(answer, request)
                } else {
                    try checkLast(answer, sent, isNext: number == sent.requests.count)
                }
                position = end
                number += 1
                guard answer.closes || answer.endsWithConnection else { continue }
                guard position == client.output.count else { throw Finding("something comes after the last answer") }
                return try checkClosing(answer, request, sent, isLast: number >= sent.requests.count)
            case .incomplete(let head): return try checkBroken(client, head, request)
            case .refused(let reason, _):
                throw Finding("a client got what is no answer (\(reason)): \(show(client.output[position...]))")
            }
        }
        try checkNothingIsMissing(number, client, sent)
    }

    private func check(_ answer: ReferenceAnswer, _ request: ReferenceRequest) throws {
        let fault = answer.value("x-msx-error")
        switch Expected(request) {
        case .error(let code):
            guard fault == code else {
                throw Finding("\(request) should be answered \(code): \(answer.status) \(fault ?? "")")
            }
            return
        case .copy, .any: break
        }
        let theirs = history.records.filter { $0.request == request }
        for record in theirs where isAnswer(answer, by: record) { return }
        if case .any = Expected(request), fault != nil { return }
        if fault == "upstream_reset", theirs.isEmpty, wasClosedUnread { return }
        throw Finding(
            "\(request) got another's answer, or a wrong one: \(answer.status) \(fault ?? "") \(show(answer.body.prefix(200))); "
                + "said: \(theirs.map { show($0.answer.bytes.prefix(300)) })")
    }

    /// Whether a service closed a pooled connection before it had read what was sent on it.
    private var wasClosedUnread: Bool {
        history.mode == .services
            && history.origins.contains { $0.isClosed || $0.closing != nil && $0.received.count > $0.read }
    }

    /// Whether the client may have seen this where the service said that.
    private func isAnswer(_ answer: ReferenceAnswer, by record: FuzzCase.Record) -> Bool {
        let said = record.answer
        switch ReferenceAnswer.read(
            said.bytes, from: 0, method: record.request.method, ended: said.closes && said.closesCleanly)
        {
        case .answer(let original, _):
            return answer.value("x-msx-error") == nil && answer.status == original.status
                && answer.body == original.body && answer.value("x-id") == original.value("x-id")
        case .incomplete(nil), .refused(_, nil):
            return ["upstream_reset", "response_timeout"].contains(answer.value("x-msx-error"))
        case .incomplete, .refused: return false
        }
    }

    private func checkLast(_ answer: ReferenceAnswer, _ sent: Sent, isNext: Bool) throws {
        let fault = answer.value("x-msx-error") ?? "a service's answer"
        guard isNext, answer.closes else { throw Finding("an answer too many: \(answer.status) \(fault)") }
        switch sent.end {
        case .refused, .partial:
            // Its service may have broken off before its violation was seen.
            if history.mode == .services, fault == "upstream_reset" { return }
            guard
                fault == "bad_request" || fault == "bad_context" || fault == "unknown_environment"
                    || fault == "head_too_large" || fault == "request_timeout"
            else { throw Finding("what is no request was answered: \(fault)") }
        case .connect: guard fault == "not_supported_yet" else { throw Finding("CONNECT was answered: \(fault)") }
        case .clean, .closed: throw Finding("an answer too many: \(answer.status) \(fault)")
        }
    }

    private func checkClosing(
        _ answer: ReferenceAnswer, _ request: ReferenceRequest?, _ sent: Sent, isLast: Bool
    ) throws {
        guard !isLast, let request, !request.isHTTP10, !answer.endsWithConnection else { return }
        // Whoever closes behind an early answer, or behind one without an end of its own, has a reason.
        if history.mode == .services { return }
        throw Finding("the connection was closed after \(request) for no reason")
    }

    private func checkBroken(
        _ client: FuzzCase.Client, _ head: ReferenceAnswer?, _ request: ReferenceRequest?
    ) throws {
        guard client.link.isGone else { throw Finding("a client waits for the rest of an answer") }
        guard history.mode == .services, client.link.state == .reset else {
            throw Finding(
                "an answer to \(request.map { "\($0)" } ?? "nothing") was cut off: \(show(client.output.suffix(300)))")
        }
    }

    private func checkNothingIsMissing(_ count: Int, _ client: FuzzCase.Client, _ sent: Sent) throws {
        // Broken off before a byte of the answer had gone out: seen as broken by whoever waits.
        if history.mode == .services, client.link.state == .reset { return }
        guard count >= sent.requests.count else {
            throw Finding("\(sent.requests[count]) was not answered, and the connection is \(client.link.state)")
        }
        switch sent.end {
        case .refused(let reason, nil) where count == sent.requests.count:
            throw Finding("nobody said that a request is refused: \(reason)")
        case .connect where count == sent.requests.count: throw Finding("CONNECT was not answered")
        default: break
        }
    }
}

/// Who answers, by the contract of routing.
private enum Expected {
    case copy(Int)
    case error(String)
    /// Carriers that the reference does not read.
    case any

    init(_ request: ReferenceRequest) {
        let others = ["baggage", "tracestate", "traceparent", "b3", "x-b3-traceid", "cookie"]
        guard !request.fields.contains(where: { others.contains($0.name) }) else {
            self = .any
            return
        }
        var first: String?
        for field in request.fields where field.name.replacing("_", with: "-") == "x-msx-env" {
            let value = String(decoding: field.value, as: UTF8.self).lowercased()
            let isLabel =
                !value.isEmpty && value.utf8.count <= 63 && !value.hasPrefix("-") && !value.hasSuffix("-")
                && field.value.allSatisfy { $0 < 0x80 }
                && value.utf8.allSatisfy { (0x30...0x39) ~= $0 || (0x61...0x7A) ~= $0 || $0 == 0x2D }
            guard field.name == "x-msx-env", isLabel, first == nil || first == value else {
                self = .error("bad_context")
                return
            }
            first = value
        }
        switch first {
        case nil: self = .copy(0)
        case "feat-refunds", "feat-child": self = .copy(1)
        default: self = .error("unknown_environment")
        }
    }
}
