import API
import EnvironmentGraph
import Gateway

extension TraceView {
    /// - Parameters:
    ///   - showsHops: each hop, or how many there are.
    ///   - headerName: of the lineage's baseline.
    init(_ trace: Trace, headerName: String, showsHops: Bool) {
        let entry = trace.entry
        let contexts = trace.spans.compactMap { $0.place.context?.name }
        self.init(
            id: trace.key.hex, startedAt: timestamp(trace.startedAt / 1_000_000),
            durationMilliseconds: milliseconds(trace.duration), route: entry.route, caller: entry.place.caller,
            service: entry.place.service, environment: entry.place.environment.name,
            status: entry.status > 0 ? entry.status : nil, error: entry.place.fault,
            context: entry.place.context?.name ?? contexts.first, hops: trace.spans.count + trace.omitted,
            errors: trace.spans.count { $0.isError },
            leaks: Self.leaks(trace, headerName), contextLost: trace.hasLeak, warnings: Self.warnings(trace),
            spans: showsHops ? TraceTree(trace).nodes.map { SpanView($0, of: trace) } : nil)
    }

    /// Each pair of caller and callee once.
    private static func leaks(_ trace: Trace, _ headerName: String) -> [TraceLeakView] {
        var seen: Set<TraceLeakView> = []
        return trace.leaks.compactMap { span in
            let leak = TraceLeakView(
                caller: span.place.caller, service: span.place.service, environment: span.place.environment.name,
                kind: span.leak?.rawValue ?? "", refused: span.leakIsRefused,
                forward: [headerName, "baggage", "tracestate", "traceparent"])
            return seen.insert(leak).inserted ? leak : nil
        }
    }

    private static func warnings(_ trace: Trace) -> [String] {
        var warnings: [String] = []
        if trace.spans.contains(where: { $0.carriersDisagree }) {
            warnings.append("carriers named different contexts; the earlier one won")
        }
        if trace.spans.contains(where: { $0.ignoredContext }) {
            warnings.append("an unknown context was ignored")
        }
        if trace.leaks.isEmpty, trace.hasLeak {
            warnings.append("a call that it may have made has lost its context; see `microstax env calls`")
        }
        if trace.omitted > 0 { warnings.append("\(trace.omitted) more hops under this id are not shown") }
        return warnings
    }
}

extension SpanView {
    init(_ node: TraceTree.Node, of trace: Trace) {
        let span = node.span
        let parts = span.route.split(separator: " ", maxSplits: 1)
        self.init(
            spanId: Span.hex(span.id), parentSpanId: span.parent != 0 ? Span.hex(span.parent) : nil, depth: node.depth,
            caller: span.place.caller, callerEnvironment: span.place.environment.name, service: span.place.service,
            provider: span.place.provider.map {
                SpanProviderView(environment: $0.name, revision: span.place.revision, answered: span.reachedProvider)
            }, context: span.place.context?.name, method: parts.first.map(String.init) ?? "",
            path: (parts.count > 1 ? String(parts[1]) : "") + (span.routeIsCut ? "…" : ""),
            status: span.status > 0 ? span.status : nil, error: span.place.fault,
            startedAt: timestamp(span.startedAt / 1_000_000),
            offsetMilliseconds: milliseconds(span.startedAt - trace.startedAt),
            durationMilliseconds: milliseconds(span.duration),
            firstByteMilliseconds: span.firstByte > 0 ? milliseconds(span.firstByte) : nil,
            carrier: span.carrier.name, carriersDisagree: span.carriersDisagree, leak: span.leak?.rawValue,
            leakRefused: span.leakIsRefused, attributed: span.isAttributed, broken: span.isBroken,
            requestBytes: span.requestBytes, responseBytes: span.responseBytes, attempts: span.attempts)
    }
}

/// To the microsecond.
private func milliseconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds / 1000) / 1000 }
