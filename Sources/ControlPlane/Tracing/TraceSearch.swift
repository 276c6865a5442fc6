import EnvironmentGraph
import Gateway

/// Which traces are wanted; all that is said must hold.
struct TraceQuery: Sendable, Hashable {
    enum Status: Sendable, Hashable {
        case exactly(Int)
        /// 5 for `5xx`.
        case hundreds(Int)
        /// Nobody answered, the gateway did, or a service with 5xx.
        case error

        init?(_ text: String) {
            let bytes = Array(text.utf8)
            if text == "error" {
                self = .error
            } else if bytes.count == 3, bytes[1...] == [0x78, 0x78], (0x31...0x35).contains(bytes[0]) {
                self = .hundreds(Int(bytes[0] - 0x30))
            } else if let number = Int(text), (100...599).contains(number) {
                self = .exactly(number)
            } else {
                return nil
            }
        }
    }

    /// With a hop from its address, in its context, or answered by its copy.
    var environment: EnvironmentID
    /// Nanoseconds since 1970, of the trace's start.
    var since: Int64?
    var status: Status?
    var services: [String] = []
    /// Nanoseconds.
    var minDuration: Int64?
    var onlyLeaks = false
    var prefix: TraceKey.Prefix?
    var limit = 50

    /// Of a whole trace.
    func wants(_ trace: Trace) -> Bool {
        if let since, trace.startedAt < since { return false }
        if let minDuration, trace.duration < minDuration { return false }
        if onlyLeaks, !trace.hasLeak { return false }
        if !services.isEmpty {
            let named = trace.spans.contains {
                services.contains($0.place.service) || services.contains($0.place.caller)
            }
            guard named else { return false }
        }
        guard let status else { return true }
        return trace.spans.contains { span in
            switch status {
            case .exactly(let code): span.status == code
            case .hundreds(let first): span.status / 100 == first
            case .error: span.isError
            }
        }
    }

    func concerns(_ place: SpanPlace) -> Bool {
        place.environment.id == environment || place.context?.id == environment || place.provider?.id == environment
    }
}

/// Finds traces in a gateway's files, the newest first. Spans are written when they end, so that going backwards a trace
/// is whole as soon as a block is older than its first hop.
///
/// The hops of one trace are on several event loops, whose blocks come in no order, but within the quarter of a second after
/// which each loop writes what it has. So blocks are taken in groups of a second, and a trace that is found in one is
/// looked for in the one before as well.
struct TraceSearch: Sendable {
    private struct Draft {
        var spans: [Span] = []
        var omitted = 0
        var start = Int64.max
    }

    private static let groupSpan: Int64 = 1_000_000_000
    private static let groupCount = 64

    private let query: TraceQuery
    private var open: [TraceKey: Draft] = [:]
    private var found: [Trace] = []
    private var group: [SpanPage] = []
    private var newerGroup: [SpanPage] = []

    init(_ query: TraceQuery) { self.query = query }

    /// Newest first, at most as many as wanted. Blocks on files.
    static func run(_ query: TraceQuery, in folder: SpanFolder) -> [Trace] {
        var search = TraceSearch(query)
        folder.read { search.take($0) }
        return search.finish()
    }

    /// - Returns: whether older blocks are wanted.
    private mutating func take(_ page: SpanPage) -> Bool {
        if let first = group.first, first.sealedAt - page.sealedAt >= Self.groupSpan || group.count >= Self.groupCount {
            guard workThrough() else { return false }
        }
        group.append(page)
        return true
    }

    private mutating func workThrough() -> Bool {
        guard let newest = group.first else { return true }
        close(before: newest.sealedAt)
        let isTooOld = query.since.map { newest.sealedAt < $0 } ?? false
        if isTooOld || found.count >= query.limit {
            guard !open.isEmpty else { return false }
        } else {
            let fresh = group.reduce(into: Set<TraceKey>()) { findTraces($1, &$0) }
            if !fresh.isEmpty {
                for key in fresh { open[key] = Draft() }
                for page in newerGroup { page.forEach(where: { key, _ in fresh.contains(key) }) { add($0) } }
            }
        }
        if !open.isEmpty {
            for page in group { page.forEach(where: { key, _ in open[key] != nil }) { add($0) } }
        }
        newerGroup = group
        group = []
        return true
    }

    /// The traces that concern the environment; their other hops may not.
    private func findTraces(_ page: SpanPage, _ fresh: inout Set<TraceKey>) {
        let concerned = page.places.map { query.concerns($0) }
        guard concerned.contains(true) else { return }
        page.forEach(
            where: { key, place in
                if concerned[place], open[key] == nil, query.prefix?.matches(key) ?? true { fresh.insert(key) }
                return false
            }, { _ in })
    }

    private mutating func add(_ span: Span) {
        guard var draft = open.removeValue(forKey: span.trace) else { return }
        draft.start = min(draft.start, span.startedAt)
        if draft.spans.count < Trace.maxSpans { draft.spans.append(span) } else { draft.omitted += 1 }
        open[span.trace] = draft
    }

    /// What began after `time` is whole.
    private mutating func close(before time: Int64) {
        for (key, draft) in open where draft.start > time {
            open[key] = nil
            keep(key, draft)
        }
    }

    private mutating func keep(_ key: TraceKey, _ draft: Draft) {
        guard !draft.spans.isEmpty else { return }
        let trace = Trace(key, draft.spans, omitted: draft.omitted)
        if query.wants(trace) { found.append(trace) }
    }

    private mutating func finish() -> [Trace] {
        _ = workThrough()
        close(before: Int64.min)
        found.sort { ($0.startedAt, $0.key) > ($1.startedAt, $1.key) }
        return Array(found.prefix(query.limit))
    }
}
