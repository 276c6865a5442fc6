import API
import Testing

@testable import Commands

/// Traces as a person sees them.
@Suite struct TraceRenderingTests {
    private static func span(
        _ depth: Int, _ call: String, _ offset: Double, _ duration: Double, provider: String = "shop",
        status: Int = 200,
        leak: String? = nil, carrier: String = "header", error: String? = nil, attributed: Bool = false
    ) -> SpanView {
        let names = call.split(separator: ">").map(String.init)
        return SpanView(
            spanId: "00f067aa0ba902b7", parentSpanId: nil, depth: depth, caller: names[0], callerEnvironment: "shop",
            service: names[1], provider: SpanProviderView(environment: provider, revision: 1, answered: true),
            context: "feat", method: "GET", path: "/\(names[1])", status: status, error: error, startedAt: "",
            offsetMilliseconds: offset, durationMilliseconds: duration, firstByteMilliseconds: nil, carrier: carrier,
            carriersDisagree: false, leak: leak, leakRefused: false, attributed: attributed, broken: false,
            requestBytes: 0, responseBytes: 0, attempts: 1)
    }

    private static func trace(
        _ id: String = "4bf92f3577b34da6a3ce929d0e0e4736", leaks: [TraceLeakView] = [], spans: [SpanView]? = nil
    ) -> TraceView {
        TraceView(
            id: id, startedAt: "2026-11-21T17:00:03.921Z", durationMilliseconds: 100, route: "GET /front",
            caller: "edge", service: "front", environment: "shop", status: 200, error: nil, context: "feat",
            hops: spans?.count ?? 1, errors: 0, leaks: leaks, contextLost: !leaks.isEmpty, warnings: [], spans: spans)
    }

    private static let leak = TraceLeakView(
        caller: "orders", service: "payments", environment: "shop", kind: "suspected", refused: false,
        forward: ["x-msx-env"])

    private static let spans = [
        span(0, "edge>front", 0, 100), span(1, "front>orders", 10, 30),
        span(2, "orders>payments", 20, 10, leak: "suspected", carrier: "none", attributed: true),
        span(1, "front>payments", 50, 50, provider: "feat", status: 503, error: "no_endpoint"),
    ]

    @Test func theWaterfall() {
        let text = TraceWaterfall(width: 110, palette: .plain).written(Self.trace(spans: Self.spans))
        #expect(
            text == """
                GET /front   200   100ms   4 hops   in feat
                trace 4bf92f3577b34da6a3ce929d0e0e4736   2026-11-21T17:00:03.921Z

                HOP                              ANSWERED BY  STATUS           TOOK   BY      0                          100ms
                edge → front  GET /front         shop#r1      200              100ms  header  ████████████████████████████████
                ├─ orders  GET /orders           shop#r1      200              30ms   header     █████████▋
                │  └─ payments ~  GET /payments  shop#r1      200              10ms   -             ███▎
                │        LEAK orders dropped the context; the wrong copy may have answered
                │             it must forward x-msx-env, or baggage, tracestate, traceparent
                └─ payments  GET /payments       feat#r1      503 no_endpoint  50ms   header                  ████████████████

                """)
    }

    @Test(arguments: [20, 60, 80, 100, 132, 200, 300]) func itFitsIntoEveryTerminal(_ width: Int) {
        let text = TraceWaterfall(width: width, palette: .plain).written(Self.trace(spans: Self.spans))
        let lines = text.split(separator: "\n")
        // Below some width names come before fitting.
        let widest =
            lines.filter { !$0.contains("LEAK") && !$0.contains("forward") }.map { DisplayWidth.of($0) }.max() ?? 0
        #expect(widest <= max(width, 86), "\(text)")
        #expect(lines.allSatisfy { $0.last != " " })
    }

    @Test func theListShowsLeaksAndTellsIdsApart() {
        let other = "4bf92f3577b34da6a3ce929d0e0e4737"
        let text = TraceTables.list([Self.trace(leaks: [Self.leak]), Self.trace(other)], palette: .plain)
        #expect(
            text == """
                TIME          TRACE                             ROUTE       SERVICE  STATUS  TOOK   HOPS  CONTEXT  NOTES
                17:00:03.921  4bf92f3577b34da6a3ce929d0e0e4736  GET /front  front    200     100ms  1     feat     LEAK orders → payments
                17:00:03.921  4bf92f3577b34da6a3ce929d0e0e4737  GET /front  front    200     100ms  1     feat     -

                """)
        #expect(TraceTables.shortest(["4bf92f3577", "5bf92f3577"]) == 8)
    }

    @Test(arguments: [
        (0.04, "0.0ms"), (0.06, "0.1ms"), (9.94, "9.9ms"), (9.96, "10ms"), (999.4, "999ms"), (1000, "1.00s"),
        (9_994, "9.99s"), (12_340, "12.3s"), (125_000, "2m05s"),
    ])
    func lengths(_ milliseconds: Double, _ text: String) { #expect(TraceTables.length(milliseconds) == text) }
}
