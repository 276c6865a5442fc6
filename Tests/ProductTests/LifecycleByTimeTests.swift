import API
import Foundation
import TestSupport
import Testing

/// What happens to environments by time, with the real server, gateway and services, and very short times.
@Suite struct LifecycleByTimeTests {
    private static let echo = "[/usr/bin/python3, \(Product.services)/echo.py]"

    private static func exposed(_ name: String, _ lifecycle: String) -> String {
        Blueprints.single(echo, name: name, more: "    expose: true\n\(lifecycle)")
    }

    private static func state(_ name: String, _ product: Product) async throws -> String {
        try await product.environment(name).state
    }

    @Test func whatNobodyUsesIsStoppedAndSaysWhy() async throws {
        try await Product.with { product in
            let path = try product.blueprint(Self.exposed("solo", "autoShutdownDelayMinutes: 0.05"))
            try await product.mustRun("env", "create", "--file", path, "--wait")
            let url = try #require(try await product.environment("solo").endpoints.first?.url)
            // Requests keep it up for longer than the delay.
            let busyUntil = ContinuousClock.now + .seconds(5)
            while ContinuousClock.now < busyUntil {
                let status = try await Answer.get(url).status
                try #require(status == 200)
                try await Task.sleep(for: .milliseconds(300))
            }
            let during = try await Self.state("solo", product)
            #expect(during == "running")
            try await eventually("the idle stop", within: .seconds(30)) {
                try await Self.state("solo", product) == "stopped" ? true : nil
            }
            let text = try await product.mustRun("env", "get", "solo")
            #expect(text.contains("stopped: idle for 3 s; start it with: microstax env resume solo"))
            let executions = try await product.json([ExecutionView].self, "env", "executions", "solo")
            #expect(executions.last?.kind == "stop")
            #expect(executions.last?.actor == "microstax")
            #expect(executions.last?.reason == "idle for 3 s")
            try await product.mustRun("env", "resume", "solo")
            let again = try await Answer.get(url).status
            #expect(again == 200)
        }
    }

    @Test func anOpenConnectionKeepsItUp() async throws {
        try await Product.with { product in
            let text = """
                name: raw
                autoShutdownDelayMinutes: 0.03
                services:
                  - name: db
                    command: \(Self.echo)
                    expose: true
                    ports: [{name: tcp, containerPort: 5432, protocol: tcp}]
                """
            try await product.mustRun("env", "create", "--file", product.blueprint(text), "--wait")
            let url = try #require(try await product.environment("raw").endpoints.first?.url)
            let port = try #require(URL(string: url)?.port)
            let held = try await Tool.run(
                "/bin/bash", ["-c", "exec 3<>/dev/tcp/127.0.0.1/\(port) && sleep 5 && echo held"])
            #expect(String(decoding: held.stdout, as: UTF8.self) == "held\n")
            let executions = try await product.json([ExecutionView].self, "env", "executions", "raw")
            #expect(executions.count { $0.kind == "stop" } == 0)
            try await eventually("the idle stop", within: .seconds(30)) {
                try await Self.state("raw", product) == "stopped" ? true : nil
            }
        }
    }

    @Test func aCommandThatSomebodyWatchesKeepsItUp() async throws {
        try await Product.with { product in
            let path = try product.blueprint(
                Blueprints.single(Self.echo, name: "busy", more: "autoShutdownDelayMinutes: 0.03"))
            try await product.mustRun("env", "create", "--file", path, "--wait")
            let watched = try await product.mustRun(
                "env", "exec", "busy", "api", "--", "/bin/sh", "-c", "sleep 4; echo done")
            #expect(watched == "done\n")
            let executions = try await product.json([ExecutionView].self, "env", "executions", "busy")
            #expect(executions.count { $0.kind == "stop" } == 0)
        }
    }

    @Test func aRequestThatTheBaselineAnswersForAnOverlayKeepsBothUp() async throws {
        try await Product.with { product in
            let base = try product.blueprint(Self.exposed("base", "autoShutdownDelayMinutes: 0.05"))
            try await product.mustRun("baseline", "create", "--file", base, "--wait")
            let overlay = """
                name: feat
                autoShutdownDelayMinutes: 0.05
                services:
                  - name: extra
                    command: \(Self.echo)
                    ports: ["8080"]
                """
            let path = try product.blueprint(overlay, named: "feat.yaml")
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", path, "--wait")
            let url = try #require(try await product.environment("feat").endpoints.first { $0.service == "api" }?.url)
            let busyUntil = ContinuousClock.now + .seconds(5)
            while ContinuousClock.now < busyUntil {
                let reply = try await Answer.get(url)
                try #require(reply.headers["x-msx-provider"]?.contains("base") == true)
                try await Task.sleep(for: .milliseconds(300))
            }
            let during = [try await Self.state("base", product), try await Self.state("feat", product)]
            #expect(during == ["running", "running"])
            // The overlay first, then what it stood on.
            try await eventually("both to stop", within: .seconds(40)) {
                let states = [try await Self.state("base", product), try await Self.state("feat", product)]
                return states == ["stopped", "stopped"] ? true : nil
            }
        }
    }

    @Test func whatHasATTLIsWarnedOfAndThenGone() async throws {
        try await Product.with { product in
            let path = try product.blueprint(
                Blueprints.single(Self.echo, name: "brief", more: "ttl: 4s\nautoShutdownEnabled: false"))
            try await product.mustRun("env", "create", "--file", path)
            let found = try await product.environment("brief")
            #expect(found.expiresAt != nil)
            // Ends by itself when it is gone.
            let followed = try await product.run("env", "events", "brief", "-f", "-o", "json")
            #expect(followed.exitCode == 0)
            let events = try followed.stdout.split(separator: "\n").map {
                try JSONDecoder().decode(HistoryView.self, from: Data($0.utf8))
            }
            let sequences = events.map(\.sequence)
            #expect(sequences == sequences.sorted())
            let warnings = events.filter { $0.kind == "warning" }.map(\.message)
            #expect(warnings.count == 1)
            #expect(warnings.first?.contains("microstax env extend brief") == true)
            let deletion = events.last { $0.kind == "executionStarted" }
            #expect(deletion?.actor == "microstax")
            #expect(deletion?.message.contains("ttl of 4 s ended") == true)
            let gone = try await product.run("env", "get", "brief")
            #expect(gone.exitCode != 0)
            // Its history is still there, by name and by id.
            let named = try await product.mustRun("env", "events", "brief")
            let byID = try await product.mustRun("env", "events", found.id)
            #expect(named.contains("ttl of 4 s ended"))
            #expect(named == byID)
        }
    }

    @Test func anEndIsPutOffButNeverBroughtForward() async throws {
        try await Product.with { product in
            let path = try product.blueprint(Blueprints.single(Self.echo, name: "kept", more: "ttl: 1h"))
            try await product.mustRun("env", "create", "--file", path, "--wait")
            func extend(_ options: String...) async throws -> EnvironmentView {
                let outcome = try await product.run(["env", "extend", "kept", "-o", "json"] + options)
                guard outcome.exitCode == 0 else { throw NeverHappened(description: "\(outcome)") }
                return try JSONDecoder().decode(EnvironmentView.self, from: Data(outcome.stdout.utf8))
            }
            let first = try #require(try await product.environment("kept").expiresAt)
            let rehearsed = try #require(try await extend("--ttl", "5h", "--dry-run").expiresAt)
            #expect(rehearsed > first)
            let still = try await product.environment("kept").expiresAt
            #expect(still == first)
            let longer = try #require(try await extend("--ttl", "5h").expiresAt)
            #expect(longer > first)
            let notShorter = try await extend("--ttl", "1m").expiresAt
            #expect(notShorter == longer)
            let until = try await extend("--until", "2090-01-01T00:00:00Z").expiresAt
            #expect(until == "2090-01-01T00:00:00.000Z")
            let never = try await extend("--never").expiresAt
            #expect(never == nil)
            let history = try await product.mustRun("env", "events", "kept")
            #expect(history.contains("it is kept until somebody deletes it"))
            let wrong = try await product.run("env", "extend", "kept", "--until", "2001-01-01T00:00:00Z")
            #expect(wrong.exitCode != 0)
            #expect(wrong.stderr.contains("which is over"))

            let plain = try product.blueprint(Blueprints.single(Self.echo, name: "plain"), named: "plain.yaml")
            try await product.mustRun("env", "create", "--file", plain, "--wait")
            let refused = try await product.run("env", "extend", "plain")
            #expect(refused.exitCode != 0)
            #expect(refused.stderr.contains("microstax env extend plain --ttl 24h"))
        }
    }
}
