import HTTPWire

/// What one event loop knows: the table it routes by, its exchanges, its counts. Used on that loop only.
///
/// `@unchecked Sendable`: it is handed to its loop once and touched there only.
final class Worker: @unchecked Sendable {
    let timeouts: Timeouts
    /// This loop's share of the limits.
    let maxConnections: Int
    let maxRequests: Int
    private(set) var table: CompiledTable
    /// Shared with the other loops.
    let traces: TraceMemory
    private(set) var counts: CountBook
    private var measures: MeasureBook
    /// nil where nothing is kept of requests.
    let spans: SpanRecorder?
    private var activity = ActivityBook()
    /// Milliseconds of a clock that only goes forward, as of the last tick.
    private(set) var now: Int64
    private(set) var isDraining = false
    /// Another gateway accepts; what is open here is served to its end.
    private(set) var isRetiring = false
    /// Whether a connection ends with the answer that is being written.
    var endsConnections: Bool { isDraining || isRetiring }
    var requestsInFlight = 0
    /// What waits for copies to become ready.
    private(set) var waiting: WaitingRoom
    /// Requests whose carriers named different contexts.
    var disagreements: UInt64 = 0
    /// TLS with clients: completed, and broken off before that.
    var handshakes: UInt64 = 0
    var failedHandshakes: UInt64 = 0
    /// For heads that are written at once.
    let scratch = WireBuffer(capacity: 4096)
    private var sessions: [any Session] = []
    private var postponed: [() -> Void] = []
    /// Asks the event loop to call ``runPostponed()`` when it has seen to everything that came.
    var onPostponed: () -> Void = {}
    private var random: UInt64

    init(
        limits: GatewayLimits, loops: Int, traces: TraceMemory, spans: SpanRecorder? = nil, table: CompiledTable,
        now: Int64,
        seed: UInt64
    ) {
        self.spans = spans
        timeouts = Timeouts(limits)
        self.table = table
        self.traces = traces
        self.now = now
        maxConnections = max(1, limits.maxConnections / loops)
        maxRequests = max(1, limits.maxRequests / loops)
        waiting = WaitingRoom(limits: limits, loops: loops)
        counts = CountBook(maxKeys: max(1, limits.maxCountKeys / loops))
        measures = MeasureBook(maxKeys: limits.maxMeasureKeys)
        random = seed
        activity.install(table, after: table)
    }

    var connections: Int { sessions.count }
    /// Clients that are connected; a stream of HTTP/2 is none.
    private(set) var clients = 0

    /// The next request on this loop is decided by `table`; an older one is ignored.
    func install(_ table: CompiledTable) {
        guard table.version >= self.table.version else { return }
        counts.fold(self.table, before: table)
        measures.fold(self.table, before: table)
        activity.install(table, after: self.table)
        self.table = table
        for session in sessions { session.tableChanged() }
    }

    func count(_ key: CountKey, by table: CompiledTable) {
        if table === self.table { counts.add(key) } else { counts.addFolded(key, table) }
        touch(key, by: table)
    }

    /// Of a request that has ended.
    func measure(_ key: CountKey, _ span: HopSpan, by table: CompiledTable) {
        if table === self.table {
            measures.add(key, status: span.status, duration: span.duration)
        } else {
            measures.addLate(key, status: span.status, duration: span.duration, table)
        }
    }

    func measured() -> MeasureSnapshot { measures.merged(with: table) }

    var explains: ExplainBook { traces.explains }

    /// The environments that `key` names have been used just now.
    func touch(_ key: CountKey, by table: CompiledTable) {
        if table === self.table {
            activity.touch(key, at: now, by: table)
        } else {
            activity.touchLate(key, at: now, by: table)
        }
    }

    func callCounts() -> CountSnapshot {
        CountSnapshot(
            calls: counts.merged(with: table), overflow: counts.overflow, disagreements: disagreements,
            handshakes: HandshakeCounts(completed: handshakes, failed: failedHandshakes))
    }

    /// Looks through all sessions, so that a request itself has nothing to keep up to date.
    func loopActivity() -> LoopActivity {
        var result = LoopActivity()
        for (environment, time) in activity.times(by: table) { result.lastAgo[environment] = now - time }
        for session in sessions {
            if let work = session.openWork { result.add(work) }
        }
        return result
    }

    /// Runs `work` when the event loop has seen to everything that came in one go.
    func later(_ work: @escaping () -> Void) {
        postponed.append(work)
        if postponed.count == 1 { onPostponed() }
    }

    func runPostponed() {
        let works = postponed
        postponed = []
        for work in works { work() }
    }

    /// Rung whenever something begins to wait for a copy; set once, before the loop serves anybody.
    var bell: WakeBell?

    /// A session waits for a copy from now on, until it leaves with the same number of bytes.
    ///
    /// - Returns: false where too much waits already.
    func enterWaiting(bytes: Int) -> Bool {
        guard waiting.enter(bytes: bytes) else { return false }
        bell?.ring()
        return true
    }

    func leaveWaiting(bytes: Int) { waiting.leave(bytes: bytes) }

    /// The copies that somebody waits for just now, each once.
    func wanted() -> Set<WantedCopy> { Set(sessions.compactMap(\.wanted)) }

    func add(_ session: any Session) {
        session.position = sessions.count
        if session.isClient { clients += 1 }
        sessions.append(session)
    }

    func remove(_ session: any Session) {
        let position = session.position
        guard position >= 0, position < sessions.count, sessions[position] === session else { return }
        if session.isClient { clients -= 1 }
        let last = sessions.removeLast()
        if last !== session {
            sessions[position] = last
            last.position = position
        }
        session.position = -1
    }

    /// Ends what has waited too long. Called a few times a second, so deadlines are that exact.
    func tick(now: Int64) {
        self.now = now
        for session in sessions where session.deadline <= now { session.deadlinePassed() }
        spans?.handOver()
    }

    /// Every connection ends after its next answer. One that is unused keeps its time: its client may be sending just now.
    func retire() {
        isRetiring = true
        for session in sessions { session.tableChanged() }
    }

    /// Unused connections close now, the others after their request.
    func drain() {
        isDraining = true
        for session in sessions { session.tableChanged() }
    }

    func closeAll() {
        for session in sessions { session.abort() }
    }

    /// SplitMix64 (Steele, Lea, Flood 2014): good enough for trace ids, one multiplication.
    func nextRandom() -> UInt64 {
        random &+= 0x9E37_79B9_7F4A_7C15
        var value = random
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// A client's connection, for the worker that looks after its deadline.
protocol Session: AnyObject {
    /// Its place in the worker's list.
    var position: Int { get set }
    var deadline: Int64 { get }
    /// The request or the tunnel that is under way; nil between requests.
    var openWork: OpenWork? { get }
    /// A connection, and not a part of one.
    var isClient: Bool { get }
    /// What it waits for; nil while it does not.
    var wanted: WantedCopy? { get }
    func deadlinePassed()
    /// The table is another one, or the gateway drains: close if there is nothing left to do here.
    func tableChanged()
    func abort()
}

extension Session {
    var wanted: WantedCopy? { nil }
}

extension Session {
    var isClient: Bool { true }
}
