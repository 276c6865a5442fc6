import API
import Foundation
import TestSupport
import Testing

/// Environments that sleep are woken by whoever needs them, with the real server, gateway and services.
@Suite(.timeLimit(.minutes(3))) struct WakingTests {
    private static let echo = "[/usr/bin/python3, \(Product.services)/echo.py]"

    private static func sleepy(_ name: String) -> String {
        Blueprints.single(echo, name: name, more: "    expose: true\nautoShutdownDelayMinutes: 0.03")
    }

    private static func sleeps(_ name: String, _ product: Product) async throws {
        try await eventually("\(name) to sleep", within: .seconds(40)) {
            try await product.environment(name).state == "stopped" ? true : nil
        }
    }

    @Test func aRequestWakesWhatNobodyUsed() async throws {
        try await Product.with { product in
            try await product.mustRun("env", "create", "--file", product.blueprint(Self.sleepy("solo")), "--wait")
            let url = try #require(try await product.environment("solo").endpoints.first?.url)
            try await Self.sleeps("solo", product)
            // Two hundred at once start it once.
            let script = "for i in $(seq 200); do curl -s -o /dev/null -w '%{http_code}\\n' \(url) & done; wait"
            let first = try await Tool.run("/bin/bash", ["-c", script])
            let codes = String(decoding: first.stdout, as: UTF8.self).split(separator: "\n")
            #expect(codes.count == 200)
            #expect(codes.allSatisfy { $0 == "200" })
            let executions = try await product.json([ExecutionView].self, "env", "executions", "solo")
            let resumes = executions.filter { $0.kind == "resume" }
            #expect(resumes.count == 1)
            #expect(resumes.first?.actor == "gateway")
            #expect(resumes.first?.reason?.contains("api") == true)
            let events = try await product.mustRun("env", "events", "solo")
            #expect(events.contains("gateway"))
            // What a person stops stays stopped, also where it slept already.
            try await Self.sleeps("solo", product)
            try await product.mustRun("env", "stop", "solo")
            try await eventually("the gateway to know") {
                try await Answer.get(url).headers["x-msx-error"] == "no_endpoint" ? true : nil
            }
            let state = try await product.environment("solo").state
            #expect(state == "stopped")
        }
    }

    @Test func anOverlayWakesWhatItStandsOn() async throws {
        try await Product.with { product in
            try await product.mustRun("baseline", "create", "--file", product.blueprint(Self.sleepy("base")), "--wait")
            let overlay = """
                name: feat
                autoShutdownDelayMinutes: 0.03
                services:
                  - name: extra
                    command: \(Self.echo)
                    expose: true
                    ports: ["8080"]
                """
            let path = try product.blueprint(overlay, named: "feat.yaml")
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", path, "--wait")
            let endpoints = try await product.environment("feat").endpoints
            let inherited = try #require(endpoints.first { $0.service == "api" }?.url)
            let own = try #require(endpoints.first { $0.service == "extra" }?.url)
            try await Self.sleeps("base", product)
            // What it inherits needs the baseline alone.
            let reply = try await Answer.get(inherited)
            #expect(reply.status == 200)
            #expect(reply.headers["x-msx-provider"]?.contains("base") == true)
            try await Self.sleeps("base", product)
            // Its own copy stands on the baseline: both wake, the baseline first.
            let both = try await Answer.get(own)
            #expect(both.status == 200)
            #expect(both.headers["x-msx-provider"]?.contains("feat") == true)
            let last = try await product.json([ExecutionView].self, "env", "executions", "base").last
            #expect(last?.actor == "gateway" || last?.kind == "stop")
        }
    }

    @Test func whatIsStartedOnDemandIsColdUntilItIsNeeded() async throws {
        try await Product.with { product in
            let text = """
                name: lazy
                autoShutdownEnabled: false
                services:
                  - name: front
                    command: \(Self.echo)
                    expose: true
                    ports: ["8080"]
                  - name: reports
                    command: \(Self.echo)
                    activation: onDemand
                    dependsOn: [store]
                    expose: true
                    ports: ["8080"]
                  - name: store
                    command: \(Self.echo)
                    activation: onDemand
                    ports: ["8080"]
                """
            try await product.mustRun("env", "create", "--file", product.blueprint(text), "--wait")
            let before = try await product.environment("lazy")
            #expect(before.state == "running")
            #expect(before.services.map { "\($0.name) \($0.state)" } == ["front ready", "reports cold", "store cold"])
            let url = try #require(before.endpoints.first { $0.service == "reports" }?.url)
            let script = "for i in $(seq 50); do curl -s -o /dev/null -w '%{http_code}\\n' \(url) & done; wait"
            let first = try await Tool.run("/bin/bash", ["-c", script])
            let codes = String(decoding: first.stdout, as: UTF8.self).split(separator: "\n")
            #expect(codes.count == 50)
            #expect(codes.allSatisfy { $0 == "200" })
            let after = try await eventually("the execution to end") { () -> EnvironmentView? in
                let found = try await product.environment("lazy")
                return found.state == "running" ? found : nil
            }
            #expect(after.services.map(\.state) == ["ready", "ready", "ready"])
            let executions = try await product.json([ExecutionView].self, "env", "executions", "lazy")
            #expect(executions.map(\.kind) == ["create", "restart"])
            #expect(executions.last?.actor == "gateway")
            // Cold again after a stop, and woken again.
            try await product.mustRun("env", "stop", "lazy", "--wait")
            try await product.mustRun("env", "resume", "lazy", "--wait")
            let resumed = try await product.environment("lazy").services.map(\.state)
            #expect(resumed == ["ready", "cold", "cold"])
            let again = try await Answer.get(url).status
            #expect(again == 200)
        }
    }

    /// Nobody can wake anything without a server; the next one asks what is waited for.
    @Test func whatWaitsOutlivesTheServer() async throws {
        try await Product.with { product in
            try await product.mustRun("env", "create", "--file", product.blueprint(Self.sleepy("solo")), "--wait")
            let url = try #require(try await product.environment("solo").endpoints.first?.url)
            try await Self.sleeps("solo", product)
            kill(try product.serverPID(), SIGKILL)
            async let reply = Answer.get(url)
            // The command starts the next server.
            _ = try await product.environment("solo")
            let status = try await reply.status
            #expect(status == 200)
        }
    }
}
