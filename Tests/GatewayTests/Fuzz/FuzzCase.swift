import EnvironmentGraph

@testable import Gateway

/// Clients that send anything, services that say anything, and the gateway between them, without a socket and without a
/// clock: one seed is one history. ``FuzzLaws`` judges it.
final class FuzzCase {
    enum Mode: CaseIterable {
        /// Mutated requests to services that mean well.
        case clients
        /// Good requests to services that are broken or hostile.
        case services
    }

    struct Finding: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    final class Client {
        let link: FakeLink
        let input: [UInt8]
        var segments: [[UInt8]]
        var hasEnded = false
        var output: [UInt8] = []

        init(_ link: FakeLink, input: [UInt8], segments: [[UInt8]]) {
            self.link = link
            self.input = input
            self.segments = segments
        }
    }

    /// A request as a service got it, whole.
    struct Record {
        let origin: Int
        let request: ReferenceRequest
        let answer: FuzzInput.Answer
    }

    /// A service's end of a connection.
    final class OriginEnd {
        let link: FakeLink
        let origin: Int
        var received: [UInt8] = []
        var read = 0
        var segments: [[UInt8]] = []
        /// Closes when everything is said: cleanly or not.
        var closing: Bool?
        var isClosed = false

        init(_ link: FakeLink, origin: Int) {
            self.link = link
            self.origin = origin
        }
    }

    static let port = 5000
    static let ports = [1001, 1002]

    static func table() -> CompiledTable {
        var shop = Shop(["payments@shop": ports[0], "payments@refunds-env": ports[1]])
        shop.table.listeners = [
            RoutedListener(
                port: port, environment: Shop.baseline, caller: .edge, service: "payments", isTCP: false)
        ]
        return CompiledTable(shop.table, after: nil)
    }

    static func worker() -> Worker {
        Worker(
            limits: GatewayLimits(), loops: 1, traces: TraceMemory(capacity: 4096), table: table(), now: 1000, seed: 1)
    }

    let mode: Mode
    let worker: Worker
    private(set) var clients: [Client] = []
    private(set) var records: [Record] = []
    private(set) var origins: [OriginEnd] = []
    private let loop = FakeLoop()
    private let pools: FakePools
    private var random: FuzzRandom
    private var input: FuzzInput
    private var script: ((ReferenceRequest, Int) -> FuzzInput.Answer?)?

    init(seed: UInt64, mode: Mode, worker: Worker) {
        self.mode = mode
        self.worker = worker
        random = FuzzRandom(state: seed)
        input = FuzzInput(random: FuzzRandom(state: random.next()))
        pools = FakePools(loop, FuzzRandom(state: random.next()))
        worker.onPostponed = { [loop] in loop.post { worker.runPostponed() } }
        for number in 0..<(1 + random.below(3)) { addClient(number) }
    }

    /// What clients send is given, and what services say to it where `script` says so; only the order and the cuts are the
    /// seed's.
    init(
        inputs: [[UInt8]], seed: UInt64, mode: Mode = .clients, worker: Worker = FuzzCase.worker(),
        script: ((ReferenceRequest, Int) -> FuzzInput.Answer?)? = nil
    ) {
        self.mode = mode
        self.script = script
        self.worker = worker
        random = FuzzRandom(state: seed)
        input = FuzzInput(random: FuzzRandom(state: random.next()))
        pools = FakePools(loop, FuzzRandom(state: random.next()))
        worker.onPostponed = { [loop] in loop.post { worker.runPostponed() } }
        for bytes in inputs { addClient(bytes) }
    }

    private func addClient(_ number: Int) {
        addClient(mode == .clients ? input.requests(client: number) : input.goodRequests(client: number))
    }

    private func addClient(_ bytes: [UInt8]) {
        let link = FakeLink(loop, number: -1 - clients.count)
        clients.append(Client(link, input: bytes, segments: input.split(bytes)))
        link.owner = Exchange(
            worker: worker, connector: pools, downstream: link, listenerPort: Self.port,
            clientAddress: Array("127.0.0.1".utf8))
    }

    /// Plays the history to its end and judges it.
    func run(_ judge: (FuzzCase) throws -> Void = { try FuzzLaws($0).check() }) throws {
        var steps = 0
        while let action = try nextAction() {
            action()
            steps += 1
            guard steps < 200_000 else { throw Finding("it does not end") }
        }
        try settle()
        try judge(self)
    }

    /// Everything that could happen next, one of it.
    private func nextAction() throws -> (() -> Void)? {
        try collect()
        var actions: [() -> Void] = []
        if !loop.isEmpty { actions.append { self.loop.runOne() } }
        for client in clients where !client.link.isGone {
            if !client.segments.isEmpty, client.link.reads {
                actions.append { client.link.arrive(client.segments.removeFirst()) }
            } else if client.segments.isEmpty, !client.hasEnded {
                // Most clients wait for their answers first.
                actions.append {
                    guard self.random.chance(5) else { return }
                    client.hasEnded = true
                    client.link.arriveEnd()
                }
            }
        }
        for origin in origins where !origin.link.isGone {
            if !origin.segments.isEmpty {
                if origin.link.reads { actions.append { self.say(origin) } }
            } else if let cleanly = origin.closing {
                actions.append {
                    origin.isClosed = true
                    origin.link.peerCloses(cleanly: cleanly)
                }
            }
        }
        let links = clients.map(\.link) + origins.map(\.link)
        if random.chance(10), let link = links.filter({ !$0.isGone }).randomElement(using: &random) {
            return { link.setWritable(!link.isWritable) }
        }
        guard actions.isEmpty else { return random.pick(actions) }
        // What waits for room gets it.
        guard let full = links.first(where: { !$0.isGone && !$0.isWritable }) else { return nil }
        return { full.setWritable(true) }
    }

    /// What a service says beyond its answer comes with the answer's last bytes: later, nobody could tell it from the next.
    private func say(_ origin: OriginEnd) {
        let segment = origin.segments.removeFirst()
        origin.link.arrive(segment)
    }

    /// Takes what the gateway has sent to everybody; services answer what is whole.
    private func collect() throws {
        for client in clients { client.output += client.link.takeSent() }
        for (link, endpoint) in pools.made.dropFirst(origins.count) {
            origins.append(OriginEnd(link, origin: Self.ports.firstIndex(of: endpoint.port) ?? -1))
        }
        for origin in origins where !origin.isClosed {
            let more = origin.link.takeSent()
            guard !more.isEmpty else { continue }
            origin.received += more
            reading: while origin.closing == nil, origin.read < origin.received.count {
                switch ReferenceRequest.read(origin.received, from: origin.read) {
                case .request(let request, let end):
                    guard origin.segments.isEmpty else {
                        throw Finding("a service got \(request) before its answer to another was through")
                    }
                    origin.read = end
                    answer(request, on: origin)
                case .incomplete: break reading
                case .connect: throw Finding("a service got CONNECT")
                case .refused(let reason, _):
                    throw Finding("a service got what is no request (\(reason)): \(show(origin.received))")
                }
            }
        }
    }

    private func answer(_ request: ReferenceRequest, on origin: OriginEnd) {
        let given = script?(request, records.count)
        let isBad = given != nil || (script == nil && mode == .services && random.chance(40))
        let answer =
            given
            ?? (isBad
                ? input.badAnswer(to: request, serial: records.count)
                : input.goodAnswer(to: request, serial: records.count))
        records.append(Record(origin: origin.origin, request: request, answer: answer))
        origin.segments = isBad ? input.splitKeepingTail(answer, to: request) : input.split(answer.bytes)
        if answer.closes { origin.closing = answer.closesCleanly }
    }

    /// Everything has happened that happens by itself: the clients go, time passes, and nothing may be left.
    private func settle() throws {
        for round in 0..<40 {
            while let action = try nextAction() { action() }
            let before = worker.now
            // Answers that do not come, then bodies that do not go on.
            worker.tick(now: before + (round < 20 ? 70_000 : 400_000))
        }
        while let action = try nextAction() { action() }
        guard worker.connections == 0 else { throw Finding("\(worker.connections) exchanges are left") }
        guard worker.requestsInFlight == 0 else { throw Finding("\(worker.requestsInFlight) requests are in flight") }
        let idle = pools.idleLinks
        for (link, _) in pools.made where !link.isGone && !idle.contains(where: { $0 === link }) {
            throw Finding("connection \(link.number) to a service is nobody's and open")
        }
    }
}

func show(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self).debugDescription }
