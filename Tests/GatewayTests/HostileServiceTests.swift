import Foundation
import TestSupport
import Testing

@testable import Gateway

/// Services that hang, reset, trickle, lie about lengths or close early, over real sockets: the client is told what
/// happened, and the service gets each request once.
@Suite(.timeLimit(.minutes(5))) struct HostileServiceTests {
    private func withOrigin(
        limits: GatewayLimits = GatewayLimits(), script: @escaping Origin.Script,
        _ body: (GatewayFixture, Int, Origin) async throws -> Void
    ) async throws {
        let origin = try Origin("payments@shop", script: script)
        defer { origin.stop() }
        var shop = Shop(["payments@shop": origin.port])
        let port = try shop.listen(Shop.baseline, "payments")
        try await GatewayFixture.with(shop.table, limits: limits, loops: 1) { try await body($0, port, origin) }
    }

    private static let requests = [
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ]

    /// What a service does instead of answering.
    enum Death: CaseIterable {
        case closes, resets, closesInTheHead, resetsInTheHead
    }

    @Test(arguments: requests, Death.allCases)
    func aServiceThatBreaksOffHasSeenTheRequestOnce(_ request: String, _ death: Death) async throws {
        try await withOrigin(script: { socket, origin in
            guard let request = Origin.readRequest(socket) else { return }
            origin.record(request)
            if death == .closesInTheHead || death == .resetsInTheHead {
                try socket.send("HTTP/1.1 200 OK\r\ncontent-le")
            }
            if death == .resets || death == .resetsInTheHead { socket.resetOnClose() }
        }) { gateway, port, origin in
            let reply = try await onThread {
                let socket = try RawSocket.connect(port)
                try socket.send(request)
                return GatewayFixture.readResponse(socket)
            }
            #expect(reply?.status == 502)
            #expect(reply?.field("x-msx-error") == "upstream_reset")
            #expect(origin.requests.count == 1)
        }
    }

    /// Half an answer must not look like a whole one: the client's connection breaks.
    @Test(arguments: [
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ])
    func aServiceThatPromisesMoreThanItSends(_ answer: String) async throws {
        try await withOrigin(script: { socket, origin in
            guard let request = Origin.readRequest(socket) else { return }
            origin.record(request)
            try socket.send(answer)
        }) { _, port, origin in
            let (head, wasReset) = try await onThread {
                let socket = try RawSocket.connect(port)
                try socket.send(Self.requests[0])
                return (socket.receive(until: "\r\n\r\n"), socket.waitForReset())
            }
            // The break may overtake the head.
            #expect(head?.hasPrefix("HTTP/1.1 200 OK\r\n") ?? true)
            #expect(wasReset || head == nil)
            #expect(origin.requests.count == 1)
        }
    }

    /// It says 2 and sends 8, or speaks again later, when nobody asks: the next request gets its own answer.
    @Test(arguments: [true, false])
    func aServiceThatSaysMoreThanItPromises(_ atOnce: Bool) async throws {
        let poison = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison"
        try await withOrigin(script: { socket, origin in
            while let request = Origin.readRequest(socket) {
                origin.record(request)
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
                try socket.send(atOnce ? answer + poison : answer)
                if !atOnce { try socket.send(poison) }
            }
        }) { _, port, origin in
            try await onThread {
                let socket = try RawSocket.connect(port)
                for _ in 0..<5 {
                    try socket.send(Self.requests[0])
                    #expect(GatewayFixture.readResponse(socket)?.body == "ok")
                    // Long enough for what nobody asked for to arrive: that is what is tested.
                    if !atOnce { usleep(50_000) }
                }
            }
            #expect(origin.connections == 5)
        }
    }

    @Test func aServiceThatTricklesIsWaitedForAsLongAsItSpeaks() async throws {
        var limits = GatewayLimits()
        limits.responseTimeout = .seconds(1)
        limits.streamTimeout = .seconds(1)
        try await withOrigin(
            limits: limits,
            script: { socket, _ in
                guard Origin.readRequest(socket) != nil else { return }
                for byte in Array(
                    "HTTP/1.1 200 OK\r\nx: y\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".utf8)
                {
                    try socket.send([byte])
                    usleep(10_000)
                }
                _ = socket.receiveAll()
            }
        ) { gateway, port, _ in
            let reply = try await gateway.get(port, [])
            #expect(reply.status == 200)
            #expect(reply.body == "3\r\nabc\r\n0\r\n\r\n")
        }
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\nx: "])
    func aServiceThatHangsIsGivenUp(_ beginning: String) async throws {
        var limits = GatewayLimits()
        limits.responseTimeout = .milliseconds(300)
        try await withOrigin(
            limits: limits,
            script: { socket, origin in
                guard let request = Origin.readRequest(socket) else { return }
                origin.record(request)
                try socket.send(beginning)
                _ = socket.receiveAll()
            }
        ) { gateway, port, origin in
            let reply = try await gateway.get(port, [])
            #expect(reply.status == 504)
            #expect(reply.field("x-msx-error") == "response_timeout")
            #expect(origin.requests.count == 1)
        }
    }

    /// It closes while the body still comes, with and without having answered.
    @Test(arguments: [true, false])
    func aServiceThatClosesEarly(_ answers: Bool) async throws {
        try await withOrigin(script: { socket, origin in
            guard let head = socket.receive(until: "\r\n\r\n") else { return }
            origin.record(head)
            if answers { try socket.send("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno") }
        }) { _, port, origin in
            let reply = try await onThread {
                let socket = try RawSocket.connect(port)
                try socket.send("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\nsome of it")
                let reply = GatewayFixture.readResponse(socket)
                // What follows belongs to the body that nobody reads; none of it is a request.
                _ = socket.sendSome(Array("GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n".utf8))
                return reply
            }
            #expect(reply?.status == (answers ? 403 : 502))
            #expect(reply?.field("connection") == "close")
            #expect(reply?.field("x-msx-error") == (answers ? nil : "upstream_reset"))
            #expect(origin.requests.count == 1)
        }
    }

    /// It closes its side after every answer without a word: what can be repeated is, the rest is not sent twice.
    @Test func aServiceThatClosesBehindItsAnswers() async throws {
        try await withOrigin(script: { socket, origin in
            guard let request = Origin.readRequest(socket) else { return }
            origin.record(request)
            try socket.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        }) { _, port, origin in
            let statuses = try await onThread {
                let socket = try RawSocket.connect(port)
                var statuses: [Int] = []
                for number in 0..<60 {
                    try socket.send(Self.requests[number % 3])
                    statuses.append(GatewayFixture.readResponse(socket)?.status ?? 0)
                }
                return statuses
            }
            for (number, status) in statuses.enumerated() {
                #expect(status == 200 || (status == 502 && number % 3 != 0), "\(number): \(status)")
            }
            #expect(origin.requests.count == statuses.count { $0 == 200 })
        }
    }

    /// What was answered reaches a client that reads slowly, also if it ended its side meanwhile.
    @Test func aSlowReaderGetsTheWholeAnswer() async throws {
        let size = 8 << 20
        try await withOrigin(script: { socket, _ in
            guard Origin.readRequest(socket) != nil else { return }
            try socket.send("HTTP/1.1 200 OK\r\ncontent-length: \(size)\r\nconnection: close\r\n\r\n")
            try socket.send([UInt8](repeating: 7, count: size))
        }) { _, port, _ in
            for ends in [true, false] {
                let count = try await onThread {
                    let socket = try RawSocket.connect(port)
                    try socket.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                    if ends { socket.endOutput() }
                    guard socket.receive(until: "\r\n\r\n") != nil else { return 0 }
                    var count = 0
                    while count < size - (1 << 20) { count += socket.receive(exactly: 1 << 16).count }
                    // Longer than a connection lingers whose answer has gone.
                    if !ends { usleep(2_600_000) }
                    return count + socket.receive(exactly: size - count).count
                }
                #expect(count == size)
            }
        }
    }
}
