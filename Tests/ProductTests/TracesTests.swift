import API
import Foundation
import TestSupport
import Testing

/// Traces and leaks over the whole way: services that forward everything, nothing, or one header only.
@Suite struct TracesTests {
    /// An exposed service for each way of forwarding, and `back`, which all call and the overlay changes.
    private static let callers = [
        "drops": "no", "byid": "x-request-id", "bytrace": "traceparent", "bybaggage": "baggage",
    ]

    private static func blueprint() -> String {
        let services = callers.sorted { $0.key < $1.key }.map { name, forward in
            """
              - name: \(name)
                command: [/usr/bin/python3, \(Product.services)/echo.py]
                expose: true
                ports: ["8080"]
                env: { NEXT_URL: "${services.back.url}", FORWARD: "\(forward)" }
            """
        }
        return """
            name: base
            services:
              - name: back
                command: [/usr/bin/python3, \(Product.services)/echo.py]
                ports: ["8080"]

            """ + services.joined(separator: "\n")
    }

    private static let asked = ["x-msx-env": "feat", "x-msx-explain": "1", "x-request-id": "7"]

    @Test func whoDropsTheContextIsShownInItsTrace() async throws {
        try await Product.with { product in
            let base = try product.blueprint(Self.blueprint(), named: "base.yaml")
            try await product.mustRun("baseline", "create", "--file", base, "--wait")
            let change = try product.blueprint(Blueprints.change("back"), named: "feat.yaml")
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", change, "--wait")
            var urls: [String: String] = [:]
            for endpoint in try await product.environment("base").endpoints { urls[endpoint.service] = endpoint.url }

            for (name, carrier) in [("bytrace", "trace"), ("bybaggage", "baggage")] {
                let reply = try await Answer.get(try #require(urls[name]), Self.asked)
                #expect(try reply.answer.path == "\(name):v1 back:v2")
                #expect(reply.headers["x-msx-warning"] == nil)
                #expect(
                    reply.headers["x-msx-route"]
                        == "edge>\(name)@base#r1;by=header, \(name)>back@feat#r1;by=\(carrier)")
            }
            for name in ["drops", "byid"] {
                let reply = try await Answer.get(try #require(urls[name]), Self.asked)
                #expect(try reply.answer.path == "\(name):v1 back:v1")
                #expect(reply.headers["x-msx-warning"] == "context_lost")
                #expect(
                    reply.headers["x-msx-route"]
                        == "edge>\(name)@base#r1;by=header, \(name)>back@base#r1;by=none;leak=suspected")
            }
            try await Self.checkTraces(product)
            try await Self.checkMetrics(product)

            // They outlive the server and the gateway.
            let before = try await product.mustRun("env", "traces", "feat", "--quiet")
            try await product.mustRun("serve", "--stop")
            #expect(try await product.mustRun("env", "traces", "feat", "--quiet") == before)
        }
    }

    private static func checkTraces(_ product: Product) async throws {
        let all = try await product.json([TraceView].self, "env", "traces", "feat")
        #expect(all.map(\.service) == ["byid", "drops", "bybaggage", "bytrace"])
        #expect(all.allSatisfy { $0.hops == 2 && $0.status == 200 && $0.context == "feat" && $0.caller == "edge" })
        let leaks = try await product.json([TraceView].self, "env", "traces", "feat", "--leaks")
        #expect(Set(leaks.map(\.service)) == ["drops", "byid"])
        #expect(leaks.flatMap(\.leaks).map(\.kind) == ["suspected", "suspected"])
        #expect(leaks.first?.leaks.first?.forward.first == "x-msx-env")
        let one = try await product.json([TraceView].self, "env", "traces", "base", "--service", "drops")
        let id = try #require(one.first?.id)
        let trace = try await product.json(TraceView.self, "env", "traces", "feat", String(id.prefix(8)))
        let hops = try #require(trace.spans)
        try #require(hops.count == 2)
        #expect(hops.map(\.depth) == [0, 1] && hops.map(\.caller) == ["edge", "drops"])
        #expect(hops[1].attributed && hops[1].leak == "suspected" && hops[1].context == nil)
        #expect(hops[1].provider == SpanProviderView(environment: "base", revision: 1, answered: true))
        let forwarded = try await product.json(TraceView.self, "env", "traces", "feat", try #require(all.last?.id))
        let next = try #require(forwarded.spans?.last)
        #expect(next.parentSpanId == forwarded.spans?.first?.spanId && next.carrier == "trace")
        let text = try await product.mustRun("env", "traces", "feat", id)
        #expect(text.contains("└─ back ~  GET /") && text.contains("LEAK drops dropped the context"))
        for filter in [["--status", "error"], ["--min-duration", "1h"], ["--since", "0s"], ["--service", "none"]] {
            let outcome = try await product.run(["env", "traces", "feat", "--quiet"] + filter)
            #expect(outcome.exitCode == 0 && outcome.stdout.isEmpty, "\(outcome)")
        }
        let missing = try await product.run("env", "traces", "feat", "ffffffffffffffff")
        #expect(missing.exitCode == 1 && missing.stderr.contains("there is no trace"))
        let calls = try await product.json([CallView].self, "env", "calls", "base")
        #expect(calls.first { $0.caller == "drops" }?.carrier == "x-msx-env")
    }

    private static func checkMetrics(_ product: Product) async throws {
        let reply = try await Tool.run(
            "/usr/bin/env",
            ["curl", "-s", "--unix-socket", product.home + "/server.sock", "http://localhost/metrics"])
        let samples = try PrometheusText.parse(String(decoding: reply.stdout, as: UTF8.self))
        func value(_ name: String, _ labels: [String: String]) -> Double? {
            samples.first { sample in
                sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
            }?.value
        }
        let back = ["environment": "feat", "service": "back", "provider": "feat"]
        #expect(value("microstax_requests_total", back.merging(["status": "2xx"]) { $1 }) == 2)
        #expect(value("microstax_request_errors_total", back) == 0)
        #expect(value("microstax_request_seconds_count", back) == 2)
        let leak = ["environment": "base", "caller": "drops", "service": "back", "kind": "suspected"]
        #expect(value("microstax_context_leaks_total", leak.merging(["carrier": "x-msx-env"]) { $1 }) == 1)
        #expect(value("microstax_gateway_spans_total", ["outcome": "recorded"]) == 8)
        #expect(value("microstax_gateway_spans_total", ["outcome": "lost"]) == 0)
    }
}
