import EnvironmentGraph
import Gateway

/// The hops of one trace that a gateway has seen.
struct Trace: Sendable, Hashable {
    /// More belong to something else than one request: a client that uses one id for everything.
    static let maxSpans = 500

    let key: TraceKey
    /// By start; never empty.
    let spans: [Span]
    /// Those beyond ``maxSpans``.
    let omitted: Int

    /// - Parameter spans: of one trace, at least one.
    init(_ key: TraceKey, _ spans: [Span], omitted: Int = 0) {
        self.key = key
        self.spans = spans.sorted { ($0.startedAt, $1.duration) < ($1.startedAt, $0.duration) }
        self.omitted = omitted
    }

    /// Where it came in: the first from outside, else the first.
    var entry: Span { spans.first { $0.place.caller == "edge" } ?? spans[0] }

    var startedAt: Int64 { spans[0].startedAt }

    var duration: Int64 { (spans.map(\.end).max() ?? startedAt) - startedAt }

    var leaks: [Span] { spans.filter { $0.leak != nil } }

    /// Whether a call of it has lost its context, here or in a hop that could not be told to be its.
    var hasLeak: Bool { spans.contains { $0.leak != nil || $0.contextLost } }
}

extension Span {
    /// Nobody answered, the gateway did, or the service said that it failed.
    var isError: Bool { status == 0 || status >= 500 || place.fault != nil }

    /// The environment in whose name it was made.
    var effectiveContext: SpanPlace.Environment? { place.context }
}

/// Which hops follow from which. A hop's parent is the span that its `traceparent` names, where the gateway has seen that
/// one; else the hop within whose time it was made and whose service made it: a service with a tracer of its own puts its
/// spans between two hops, and one that forwards another header says nothing of spans at all.
struct TraceTree: Sendable, Hashable {
    struct Node: Sendable, Hashable {
        var span: Span
        var depth: Int
    }

    /// Parents before their children, these by start.
    let nodes: [Node]

    init(_ trace: Trace) {
        let spans = trace.spans
        var byID: [UInt64: Int] = [:]
        for (index, span) in spans.enumerated() where byID[span.id] == nil { byID[span.id] = index }
        var children: [Int: [Int]] = [:]
        var roots: [Int] = []
        for index in spans.indices {
            if let parent = Self.parent(of: index, spans, byID) {
                children[parent, default: []].append(index)
            } else {
                roots.append(index)
            }
        }
        var nodes: [Node] = []
        var open = roots.reversed().map { ($0, 0) }
        while let (index, depth) = open.popLast() {
            nodes.append(Node(span: spans[index], depth: depth))
            open += (children[index] ?? []).reversed().map { ($0, depth + 1) }
        }
        self.nodes = nodes
    }

    /// Only an earlier one, so that nothing is its own ancestor.
    private static func parent(of index: Int, _ spans: [Span], _ byID: [UInt64: Int]) -> Int? {
        let span = spans[index]
        if span.parent != 0, let named = byID[span.parent], named < index { return named }
        guard span.place.caller != "edge" else { return nil }
        return spans[..<index].lastIndex { other in
            other.place.service == span.place.caller && other.end >= span.startedAt && other.reachedProvider
        }
    }
}
