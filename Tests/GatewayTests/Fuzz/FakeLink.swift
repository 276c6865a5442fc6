@testable import Gateway

/// ``Link`` without a socket: behaves as ``LinkHandler`` does, and its other end is the test.
///
/// `@unchecked Sendable`: one thread drives a whole case.
final class FakeLink: Link, @unchecked Sendable {
    enum State: Equatable {
        case open
        /// The gateway has ended its side.
        case outputClosed
        case closed
        /// The gateway has broken it off, so that the peer sees no ordinary end.
        case reset
    }

    let number: Int
    private let loop: FakeLoop
    var trouble: LinkTrouble { .none }
    var owner: (any LinkOwner)?
    private(set) var state = State.open
    /// What the peer has got.
    private(set) var sent: [UInt8] = []
    private var out: [UInt8] = []
    private var queued: [UInt8] = []
    private var whenSent: [() -> Void] = []
    private var kept: [UInt8] = []
    private var isPaused = false
    private var isDelivering = false
    private var inputEnded = false
    private var isClosing = false
    private(set) var isWritable = true

    init(_ loop: FakeLoop, number: Int, owner: (any LinkOwner)? = nil) {
        self.loop = loop
        self.number = number
        self.owner = owner
    }

    var isOpen: Bool { (state == .open || state == .outputClosed) && !isClosing }
    var isGone: Bool { state == .closed || state == .reset }

    // MARK: Link

    func write(_ bytes: UnsafeRawBufferPointer) { out.append(contentsOf: bytes) }

    func relay(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, from source: any Link) {
        out.append(contentsOf: bytes[range])
    }

    func flush() {
        guard !isGone, state != .outputClosed else { return out.removeAll() }
        queued += out
        out.removeAll(keepingCapacity: true)
        drain()
    }

    var isSending: Bool { !whenSent.isEmpty }

    /// The peer's buffers are full, or have room again.
    func setWritable(_ value: Bool) {
        guard value != isWritable else { return }
        isWritable = value
        drain()
        if !isGone { owner?.writabilityChanged(self) }
    }

    /// What is written goes out while the peer has room; what is to happen after that happens a little later.
    private func drain() {
        guard isWritable, !isGone else { return }
        sent += queued
        queued = []
        let actions = whenSent
        whenSent = []
        for action in actions { loop.post(action) }
    }

    func pauseReading() { isPaused = true }

    func resumeReading() {
        isPaused = false
        guard !isDelivering else { return }
        if deliver() { owner?.readCompleted(self) }
    }

    func closeOutput() {
        whenSent.append { [self] in if state == .open { state = .outputClosed } }
        flush()
    }

    func close() {
        guard !isClosing else { return }
        isClosing = true
        whenSent.append { [self] in end(.closed, cleanly: true) }
        flush()
    }

    func abort(reset: Bool) {
        isClosing = true
        end(reset ? .reset : .closed, cleanly: true)
    }

    // MARK: The peer's side

    /// Whether the socket would be read just now.
    var reads: Bool {
        !isGone && !isPaused && (kept.isEmpty || (owner?.wantsBytes(from: self) ?? false))
    }

    func arrive(_ bytes: [UInt8]) {
        kept += bytes
        deliver()
        owner?.readCompleted(self)
    }

    /// The peer has ended its side and still reads.
    func arriveEnd() {
        inputEnded = true
        deliver()
    }

    func peerCloses(cleanly: Bool) { end(.closed, cleanly: cleanly) }

    func takeSent() -> [UInt8] {
        defer { sent.removeAll(keepingCapacity: true) }
        return sent
    }

    private func end(_ last: State, cleanly: Bool) {
        guard !isGone else { return }
        state = last
        isPaused = false
        deliver()
        let owner = owner
        self.owner = nil
        owner?.closed(self, cleanly: cleanly)
    }

    @discardableResult
    private func deliver() -> Bool {
        guard !isDelivering else { return false }
        isDelivering = true
        defer { isDelivering = false }
        var any = false
        while !kept.isEmpty, !isPaused, let owner, owner.wantsBytes(from: self) {
            let current = kept
            kept = []
            let taken = current.withUnsafeBytes { owner.received($0, from: self) }
            kept = Array(current[taken...])
            any = any || taken > 0
            if taken == 0 { break }
        }
        if inputEnded, kept.isEmpty || (!isPaused && (owner?.wantsBytes(from: self) ?? true)) {
            inputEnded = false
            owner?.inputClosed(self)
        }
        return any
    }
}

/// What happens a little later, as on an event loop.
final class FakeLoop {
    private var posts: [() -> Void] = []

    var isEmpty: Bool { posts.isEmpty }

    func post(_ body: @escaping () -> Void) { posts.append(body) }

    func runOne() {
        guard !posts.isEmpty else { return }
        posts.removeFirst()()
    }
}

/// ``Connector`` to services that the test plays, with a pool as ``UpstreamPools`` has it.
///
/// `@unchecked Sendable`: one thread drives a whole case.
final class FakePools: Connector, LinkOwner, @unchecked Sendable {
    private let loop: FakeLoop
    private var random: FuzzRandom
    private var idle: [Int: [FakeLink]] = [:]
    /// Every connection that was made, with its endpoint.
    private(set) var made: [(link: FakeLink, endpoint: Endpoint)] = []
    /// How many connections in a hundred are refused.
    var refusesPercent = 0

    init(_ loop: FakeLoop, _ random: FuzzRandom) {
        self.loop = loop
        self.random = random
    }

    var idleLinks: [FakeLink] { idle.values.flatMap { $0 } }

    func connect(to endpoint: Endpoint, allowsReuse: Bool, ticket: Int, for user: any UpstreamUser) {
        if allowsReuse {
            while let link = idle[endpoint.number]?.popLast() {
                guard link.isOpen else { continue }
                link.owner = nil
                return user.connected(link, to: endpoint, ticket: ticket, isReused: true)
            }
        }
        let isRefused = random.below(100) < refusesPercent
        let link = FakeLink(loop, number: made.count)
        if !isRefused { made.append((link, endpoint)) }
        let answer = {
            if isRefused {
                user.connectFailed(ticket: ticket, isExhausted: false)
            } else {
                user.connected(link, to: endpoint, ticket: ticket, isReused: false)
            }
        }
        if random.below(3) == 0 { answer() } else { loop.post(answer) }
    }

    func giveBack(_ link: any Link, endpoint: Endpoint) {
        guard let link = link as? FakeLink, link.isOpen else { return link.close() }
        link.owner = self
        idle[endpoint.number, default: []].append(link)
        link.resumeReading()
    }

    func wantsBytes(from link: any Link) -> Bool { true }

    func received(_ bytes: UnsafeRawBufferPointer, from link: any Link) -> Int {
        link.close()
        return bytes.count
    }

    func readCompleted(_ link: any Link) {}
    func inputClosed(_ link: any Link) { link.close() }
    func writabilityChanged(_ link: any Link) {}

    func closed(_ link: any Link, cleanly: Bool) {
        for number in idle.keys { idle[number]?.removeAll { $0 === link } }
    }
}

/// SplitMix64: a case is repeated by its seed.
struct FuzzRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }
}
