import API
import Foundation
import TestSupport
import Testing

/// What starts with an environment and what when it is needed, with the real server, gateway and services.
@Suite(.timeLimit(.minutes(3))) struct PredictionTests {
    private static func shop(_ name: String) -> String {
        func service(_ name: String, next: String?, expose: Bool = false) -> String {
            """
              - name: \(name)
                command: [/usr/bin/python3, \(Product.services)/echo.py]
                ports: ["8080"]
                expose: \(expose)
                env: { \(next.map { "NEXT_URL: \"${services.\($0).url}\"" } ?? "") }
            """
        }
        return """
            name: \(name)
            autoShutdownEnabled: false
            services:
            \(service("web", next: "payments", expose: true))
            \(service("payments", next: "ledger"))
            \(service("ledger", next: nil))
            \(service("carts", next: "stock", expose: true))
            \(service("stock", next: nil))
            """
    }

    @Test func aFocusStartsWhatItNeedsAndRequestsWakeTheRest() async throws {
        try await Product.with { product in
            let file = try product.blueprint(Self.shop("shop"))
            let dry = try await product.json(PlanView.self, "env", "plan", "--file", file, "--focus", "payments")
            let planned = dry.services.filter { $0.verdict == "cold" }.map(\.service)
            #expect(planned == ["carts", "stock"])
            try await product.mustRun("env", "create", "--file", file, "--focus", "payments", "--wait")
            let made = try await product.environment("shop")
            let states = made.services.map { "\($0.name) \($0.state)" }
            #expect(states == ["carts cold", "ledger ready", "payments ready", "stock cold", "web ready"])
            #expect(dry.fingerprint == made.fingerprints?.plan)
            // The same by another name means the same.
            let other = try product.blueprint(Self.shop("other"), named: "other.yaml")
            let twin = try await product.json(AcceptedView.self, "env", "create", "--file", other, "--dry-run")
            #expect(made.fingerprint?.hasPrefix("sha256:") == true)
            #expect(twin.environment.fingerprint == made.fingerprint)

            let web = try #require(Self.url("web", made))
            let carts = try #require(Self.url("carts", made))
            for _ in 0..<3 {
                let status = try await Answer.get(web).status
                #expect(status == 200)
            }
            // It waits until carts is up, which waits until stock is.
            let woken = try await Answer.get(carts).status
            #expect(woken == 200)
            try await eventually("all of it to run") {
                let states = try await product.environment("shop").services.map(\.state)
                return states.allSatisfy { $0 == "ready" } ? true : nil
            }
            try await Self.checkPlan(product)
            try await Self.checkGraph(product)
        }
    }

    private static func url(_ service: String, _ environment: EnvironmentView) -> String? {
        environment.endpoints.first { $0.service == service }?.url
    }

    private static func checkPlan(_ product: Product) async throws {
        let plan = try await product.json(PlanView.self, "env", "plan", "shop", "--review")
        let review = try #require(plan.review)
        #expect(review.requests == 4)
        let hits = review.predictedAndCalled.map { "\($0.service) \($0.calls)" }
        #expect(hits == ["ledger 3", "payments 3", "web 3"])
        #expect(review.predictedNeverCalled.isEmpty)
        let surprises = review.calledNotPredicted.map(\.service)
        #expect(surprises == ["carts", "stock"])
        let traffic = try #require(plan.services.first { $0.service == "ledger" }?.traffic)
        #expect(traffic.entry == "web" && traffic.requests == 3 && traffic.sharePercent == 100)
        let carts = plan.services.first { $0.service == "carts" }?.verdict
        #expect(carts == "cold")
        let text = try await product.mustRun("env", "plan", "shop")
        #expect(text.contains("3 of 5 services start, 2 when needed"))
        #expect(text.contains("100 % of 3 requests through web reached it, last "))
        let said = try await product.mustRun("env", "plan", "shop", "--review")
        #expect(said.contains("called, not predicted: 2"))
    }

    private static func checkGraph(_ product: Product) async throws {
        let graph = try await product.json(GraphView.self, "env", "graph", "shop")
        let edge = graph.edges.first { $0.from == "web" }
        #expect(edge?.to == "payments" && edge?.origins == ["reference", "observed"] && edge?.calls == 3)
        let text = try await product.mustRun("env", "graph", "shop")
        #expect(text.contains("└── web  eager  3 requests"))
        let dot = try await product.mustRun("env", "graph", "shop", "-o", "dot")
        #expect(dot.contains("\"web\" -> \"payments\""))
        let mermaid = try await product.mustRun("env", "graph", "shop", "-o", "mermaid")
        #expect(mermaid.hasPrefix("flowchart LR\n"))
    }

    /// What the gateway has seen outlives it, and the server.
    @Test func whatWasSeenOutlivesGatewayAndServer() async throws {
        try await Product.with { product in
            let file = try product.blueprint(Self.shop("shop"))
            try await product.mustRun("env", "create", "--file", file, "--focus", "ledger", "--wait")
            let web = try #require(Self.url("web", try await product.environment("shop")))
            let first = try await Answer.get(web).status
            #expect(first == 200)
            func requests() async throws -> UInt64? {
                try await product.json(PlanView.self, "env", "plan", "shop", "--review").review?.requests
            }
            let before = try await requests()
            #expect(before == 1)
            kill(try product.gatewayPID(), SIGKILL)
            try await eventually("the next gateway to answer") {
                try await Answer.get(web).status == 200 ? true : nil
            }
            kill(try product.serverPID(), SIGKILL)
            let seen = try await eventually("both to be counted") { () -> UInt64? in
                let count = try await requests()
                return (count ?? 0) >= 2 ? count : nil
            }
            // Asked again, nothing is counted twice.
            let again = try await requests()
            #expect(again == seen)
            let refused = try await product.run("env", "create", "--file", file, "--focus", "nothing", "--dry-run")
            #expect(refused.exitCode != 0)
            #expect(refused.stderr.contains("there is no service 'nothing' to focus on"))
        }
    }
}
