import EnvironmentGraph
import Gateway

/// Requests through the gateway by (environment, service, provider) for an exporter. Names that people chose are labels
/// here, so there are only so many: what is beyond the most is together under ``beyond``.
struct RequestMetrics: Sendable {
    /// No name can be so: it is none that an environment may have.
    static let beyond = "_other"

    private let measures: MeasureSnapshot
    private let counts: CountSnapshot?
    private let names: [EnvironmentID: String]

    init(_ measures: MeasureSnapshot, _ counts: CountSnapshot?, names: [EnvironmentID: String]) {
        self.measures = measures
        self.counts = counts
        self.names = names
    }

    func add(to text: inout MetricsText) {
        var series = measures.series.map { (labels: labels($0.name), row: $0.row) }
        if measures.beyond.total > 0 {
            let other = ["environment", "service", "provider"].map { MetricsText.Label($0, Self.beyond) }
            series.append((other, measures.beyond))
        }
        text.add(
            "microstax_requests_total", .counter,
            "Requests by environment, service, provider and class of status; none: no answer.",
            series.flatMap { labels, row in
                row.classes.enumerated().filter { $0.element > 0 }.map { index, count in
                    let status = index == 0 ? "none" : "\(index)xx"
                    return MetricsText.Sample(labels: labels + [.init("status", status)], value: Double(count))
                }
            })
        text.add(
            "microstax_request_errors_total", .counter,
            "Requests without an answer, answered 5xx, or answered by the gateway itself.",
            series.map { MetricsText.Sample(labels: $0.labels, value: Double($0.row.errors)) })
        let bounds = MeasureRow.bounds.map { Double($0) / 1e9 }
        text.add(
            "microstax_request_seconds", "Time from a request's head to the end of its answer.",
            series.map { labels, row in
                MetricsText.Series(
                    labels: labels, histogram: Histogram(bounds: bounds, counts: row.counts, sum: row.seconds))
            })
        addLeaks(&text)
        addExports(&text)
        if let handshakes = counts?.handshakes {
            text.add(
                "microstax_gateway_tls_handshakes_total", .counter, "TLS handshakes with clients, by how they ended.",
                [("completed", handshakes.completed), ("failed", handshakes.failed)].map {
                    MetricsText.Sample(labels: [.init("outcome", $0.0)], value: Double($0.1))
                })
        }
        text.add(
            "microstax_gateway_spans_total", .counter, "Hops that were kept, and lost for want of room.",
            [("recorded", measures.spans.recorded), ("lost", measures.spans.lost)].map {
                MetricsText.Sample(labels: [.init("outcome", $0.0)], value: Double($0.1))
            })
    }

    private func addExports(_ text: inout MetricsText) {
        text.add(
            "microstax_gateway_exported_spans_total", .counter, "Hops sent to a collector, and dropped on the way.",
            [("exported", measures.exports.exported), ("dropped", measures.exports.dropped)].map {
                MetricsText.Sample(labels: [.init("outcome", $0.0)], value: Double($0.1))
            })
    }

    private struct Leak: Hashable {
        var environment: EnvironmentID
        var caller: String
        var service: String
        var kind: CallLeak
        var carrier: String
    }

    /// As many as there are pairs of services that leak: the counts are bounded where they are made.
    private func addLeaks(_ text: inout MetricsText) {
        var leaks: [Leak: UInt64] = [:]
        for call in counts?.calls ?? [] {
            guard let kind = call.leak else { continue }
            let leak = Leak(
                environment: call.callerEnvironment, caller: call.caller, service: call.service, kind: kind,
                carrier: call.carrier ?? "")
            leaks[leak, default: 0] += call.count
        }
        let sorted = leaks.sorted {
            ($1.value, $0.key.caller, $0.key.service) < ($0.value, $1.key.caller, $1.key.service)
        }
        text.add(
            "microstax_context_leaks_total", .counter,
            "Calls whose caller dropped the context, with the header that it would have to forward.",
            sorted.prefix(1000).map { leak, count in
                MetricsText.Sample(
                    labels: [
                        .init("environment", name(leak.environment)), .init("caller", leak.caller),
                        .init("service", leak.service), .init("kind", leak.kind.rawValue),
                        .init("carrier", leak.carrier),
                    ], value: Double(count))
            })
    }

    private func labels(_ series: MeasureName) -> [MetricsText.Label] {
        [
            .init("environment", name(series.environment)), .init("service", series.service),
            .init("provider", series.provider.map(name) ?? ""),
        ]
    }

    private func name(_ id: EnvironmentID) -> String { names[id] ?? id.rawValue }
}
