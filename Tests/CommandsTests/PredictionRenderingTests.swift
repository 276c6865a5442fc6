import API
import Commands
import Testing

/// `env plan` and `env graph` as people see them.
@Suite struct PredictionRenderingTests {
    private static let now: Int64 = 1_800_000_000_000
    private static let twoHoursAgo = Timestamp.text(now - 7_200_000)

    private static func service(
        _ name: String, _ verdict: String, _ reason: String, _ calls: Double? = nil, of requests: UInt64 = 3204
    ) -> PlannedServiceView {
        let traffic = calls.map { calls in
            TrafficView(
                entry: "web", requests: requests, calls: calls,
                sharePercent: (min(1, calls / Double(requests)) * 1000).rounded() / 10, lastAt: twoHoursAgo)
        }
        return PlannedServiceView(
            service: name, verdict: verdict, exercised: verdict != "cold", reason: reason, traffic: traffic)
    }

    private static func plan(_ review: ReviewView? = nil) -> PlanView {
        PlanView(
            environment: "shop", mode: "isolated", fingerprint: "sha256:0", focus: ["payments"],
            services: [
                service("carts", "cold", "on no path to payments; its first request wakes it"),
                service("fraud", "eager", "payments refers to it", 545),
                service("ledger", "eager", "payments refers to it", 9932),
                service("payments", "eager", "in focus", 7),
                service("web", "eager", "requests to payments come in here", 3204),
            ], steps: [StepView(key: "ports", title: "allocate ports", state: "pending", attempt: 0, reason: "own")],
            review: review)
    }

    @Test func aPlanReadsLikeASentence() {
        let tables = PredictionTables(palette: .plain, now: Self.now)
        #expect(
            tables.plan(Self.plan(), isDry: true, withSteps: false) == """
                shop  isolated  in focus: payments
                4 of 5 services start, 1 when needed

                SERVICE   PLAN   WHY
                carts     cold   on no path to payments; its first request wakes it
                fraud     eager  payments refers to it; 17 % of 3,204 requests through web reached it, last 2h ago
                ledger    eager  payments refers to it; 3.1 calls for each of 3,204 requests through web, last 2h ago
                payments  eager  in focus; under 1 % of 3,204 requests through web reached it, last 2h ago
                web       eager  requests to payments come in here; 3,204 requests from outside, last 2h ago

                1 step; --steps shows it; nothing was done

                """)
        let coloured = PredictionTables(palette: Palette(isColoured: true), now: Self.now)
        let lines = coloured.plan(Self.plan(), isDry: false, withSteps: true).split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("\u{1B}[36mcarts     cold   on no path") })
        #expect(lines.last == "ports  allocate ports  own")
    }

    @Test func aReviewSaysWhatWasRight() {
        let tables = PredictionTables(palette: .plain, now: Self.now)
        let empty = ReviewView(
            requests: 0, predictedAndCalled: [], predictedNeverCalled: [], calledNotPredicted: [])
        #expect(tables.review(Self.plan(empty)).contains("nothing of it was called yet"))
        let review = ReviewView(
            requests: 1200,
            predictedAndCalled: [.init(service: "web", calls: 1200, lastAt: Self.twoHoursAgo, reason: "in focus")],
            predictedNeverCalled: [.init(service: "fraud", calls: 0, lastAt: nil, reason: "payments refers to it")],
            calledNotPredicted: [])
        #expect(
            tables.review(Self.plan(review)) == """
                shop  isolated
                1,200 requests from outside in the last 14 days

                predicted and called: 1
                SERVICE  CALLS  LAST    WHY
                web      1,200  2h ago  in focus

                predicted, never called: 1
                SERVICE  CALLS  LAST  WHY
                fraud    0      -     payments refers to it

                called, not predicted: none

                """)
    }

    private static let graph: GraphView = {
        func service(_ name: String, _ verdict: String, entry: Bool = false) -> GraphView.Service {
            GraphView.Service(
                name: name, verdict: verdict, provider: ProviderView(kind: "local", environment: "shop", revision: 1),
                exposed: entry, entry: entry, protocols: ["http"])
        }
        return GraphView(
            environment: "shop", mode: "isolated", fingerprint: "sha256:0",
            services: [
                service("admin", "cold", entry: true), service("carts", "cold"), service("carts-db", "cold"),
                service("ring-a", "eager"), service("ring-b", "eager"), service("web", "eager", entry: true),
                service("worker", "eager"),
            ],
            edges: [
                .init(from: nil, to: "web", origins: ["observed"], calls: 3204, lastAt: twoHoursAgo),
                .init(from: "admin", to: "carts", origins: ["declared"], condition: "healthy"),
                .init(
                    from: "carts", to: "carts-db", origins: ["reference", "observed"], calls: 1, lastAt: twoHoursAgo),
                .init(from: "ring-a", to: "ring-b", origins: ["inferred"]),
                .init(from: "ring-b", to: "ring-a", origins: ["inferred"]),
                .init(from: "web", to: "carts", origins: ["observed"], calls: 12, lastAt: twoHoursAgo),
            ])
    }()

    @Test func aGraphIsATree() throws {
        let text = GraphText(palette: .plain, now: Self.now)
        #expect(
            text.written(Self.graph, .text) == """
                shop  isolated
                from outside
                ├── admin  cold
                │   └── carts  cold  declared
                │       └── carts-db  cold  reference, 1 call, last 2h ago
                └── web  eager  3,204 requests, last 2h ago
                    └── carts  cold  12 calls, last 2h ago  (as above)
                by themselves
                └── worker  eager
                in a circle
                └── ring-a  eager
                    └── ring-b  eager  inferred
                        └── ring-a  eager  inferred  (as above)

                """)
        #expect(text.written(Self.graph, .json) == nil)
    }

    @Test func aGraphIsDrawn() throws {
        let text = GraphText(palette: .plain, now: Self.now)
        let dot = try #require(text.written(Self.graph, .dot)).split(separator: "\n").map(String.init)
        #expect(dot.first == "digraph \"shop\" {" && dot.last == "}")
        #expect(dot.contains("  outside -> \"web\" [label=\"3,204\", style=dashed];"))
        #expect(dot.contains("  outside -> \"admin\" [label=\"\"];"))
        #expect(dot.contains("  \"carts\" -> \"carts-db\" [label=\"reference, 1 call\"];"))
        let mermaid = try #require(text.written(Self.graph, .mermaid)).split(separator: "\n").map(String.init)
        #expect(mermaid.first == "flowchart LR")
        #expect(mermaid.contains("  s1 -->|\"reference, 1 call\"| s2"))
        #expect(mermaid.contains("  s5 -.->|\"12 calls\"| s1"))
        #expect(mermaid.contains("  class s0,s1,s2 cold"))
    }
}
