import API
import Foundation
import TestSupport
import Testing

/// The server as an operator runs it: under a service manager, with probes, stopped in the middle of work.
@Suite struct OperatingTests {
    @Test func theServiceManagerHearsThatItIsReadyAliveAndStopping() async throws {
        try await Product.with { product in
            let inbox = try NotifyInbox(product.folder + "/notify")
            let server = try ServeProcess(
                product, environment: ["NOTIFY_SOCKET": inbox.address, "WATCHDOG_USEC": "1000000"])
            try await eventually("READY=1", lastSeen: { server.said }) { inbox.count(of: "READY=1") > 0 ? true : nil }
            #expect(inbox.count(of: "MAINPID=\(server.pid)") == 1)
            #expect(inbox.lines.contains("STATUS=serves \(product.home)"))
            try await eventually("signs of life") { inbox.count(of: "WATCHDOG=1") >= 2 ? true : nil }

            // A process that does nothing gives no sign.
            server.send(SIGSTOP)
            try await eventually("the stop") { try Self.state(of: server.pid) == "T" ? true : nil }
            let before = inbox.count(of: "WATCHDOG=1")
            try await Task.sleep(for: .milliseconds(1200))
            #expect(inbox.count(of: "WATCHDOG=1") == before)
            server.send(SIGCONT)
            try await eventually("a sign of life") { inbox.count(of: "WATCHDOG=1") > before ? true : nil }

            // What the server starts is not the service manager's to hear.
            let gateway = try product.gatewayPID()
            let inherited = try Data(contentsOf: URL(filePath: "/proc/\(gateway)/environ"))
            #expect(inherited.range(of: Data("NOTIFY_SOCKET".utf8)) == nil)

            server.send(SIGTERM)
            #expect(try await server.ended() == 0)
            #expect(inbox.count(of: "STOPPING=1") == 1)
            let gatewayLives = kill(gateway, 0) == 0
            #expect(gatewayLives)
        }
    }

    @Test func aStopInTheMiddleOfACreateLosesNothing() async throws {
        try await Product.with { product in
            let server = try ServeProcess(product)
            let gate = product.folder + "/gate"
            let wait = "while [ ! -e \(gate) ]; do sleep 0.05; done; exec /usr/bin/python3 \(Product.services)/echo.py"
            let path = try product.blueprint(Blueprints.single("[sh, -c, '\(wait)']"))
            try await eventually("the server", lastSeen: { server.said }) {
                try? product.serverPID() == server.pid ? true : nil
            }
            try await product.mustRun("env", "create", "--file", path, "--no-wait")
            try await eventually("the start of api") {
                try await product.environment("solo").services.first?.state == "starting" ? true : nil
            }
            server.send(SIGTERM)
            let stopping = ContinuousClock.now
            #expect(try await server.ended() == 0)
            #expect(ContinuousClock.now - stopping < .seconds(20))
            try Data().write(to: URL(filePath: gate))

            let next = try ServeProcess(product)
            try await eventually("the next server", lastSeen: { next.said }) {
                try? product.serverPID() == next.pid ? true : nil
            }
            try await product.mustRun("env", "wait", "solo")
            #expect(try await product.environment("solo").state == "running")
            next.send(SIGTERM)
            #expect(try await next.ended() == 0)
        }
    }

    /// A client that only follows what happens is cut; a graceful stop waits for nobody who could follow for ever.
    @Test func aFollowerKeepsNoStopWaiting() async throws {
        try await Product.with { product in
            let server = try ServeProcess(product)
            try await eventually("the server", lastSeen: { server.said }) {
                try? product.serverPID() == server.pid ? true : nil
            }
            try await product.mustRun(
                "env", "create", "--file", product.blueprint(Blueprints.single("[sleep, '1000']")), "--no-wait")
            let events = product.folder + "/events"
            let follower = try Self.curl(product, "-N", "-o", events, "http://x/v1/environments/solo/events")
            defer { if follower.isRunning { kill(follower.processIdentifier, SIGKILL) } }
            try await eventually("an event") {
                FileManager.default.contents(atPath: events)?.isEmpty == false ? true : nil
            }
            let start = ContinuousClock.now
            server.send(SIGTERM)
            #expect(try await server.ended() == 0)
            #expect(ContinuousClock.now - start < .seconds(4))
        }
    }

    @Test func aSecondSignalEndsAtOnce() async throws {
        try await Product.with { product in
            let server = try ServeProcess(product)
            try await eventually("the server", lastSeen: { server.said }) {
                try? product.serverPID() == server.pid ? true : nil
            }
            // A request whose body does not come keeps a graceful stop waiting.
            let said = product.folder + "/said"
            let body = Pipe()
            let client = try Self.curl(
                product, "-v", "-H", "expect: 100-continue", "-X", "POST", "-T", "-",
                "http://x/v1/environments", input: body, saying: said)
            defer { if client.isRunning { kill(client.processIdentifier, SIGKILL) } }
            try await eventually("the server's asking for the body") {
                let text = (try? String(contentsOfFile: said, encoding: .utf8)) ?? ""
                return text.contains("100 Continue") ? true : nil
            }
            let start = ContinuousClock.now
            server.send(SIGTERM)
            try await Task.sleep(for: .milliseconds(200))
            server.send(SIGTERM)
            #expect(try await server.ended() == 130)
            #expect(ContinuousClock.now - start < .seconds(4))
        }
    }

    /// Started, and the caller's to end.
    private static func curl(
        _ product: Product, _ arguments: String..., input: Pipe? = nil, saying: String? = nil
    ) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["curl", "-s", "--unix-socket", product.home + "/server.sock"] + arguments
        if let input { process.standardInput = input }
        if let saying {
            _ = FileManager.default.createFile(atPath: saying, contents: nil)
            process.standardError = FileHandle(forWritingAtPath: saying)
        }
        try process.run()
        return process
    }

    @Test func probesNeedNoTokenAndSaySoLittle() async throws {
        try await Product.with { product in
            let port = try #require(product.ports.split(separator: "-").last)
            let token = "msx_0123456789abcdef0123"
            let server = try ServeProcess(
                product, ["--listen", "127.0.0.1:\(port)"], environment: ["MICROSTAX_API_KEY": token])
            let url = "http://127.0.0.1:\(port)"
            try await eventually("readiness", lastSeen: { server.said }) {
                try await Answer.get(url + "/v1/ready").status == 200 ? true : nil
            }
            let health = try await Answer.get(url + "/v1/health")
            #expect(health.status == 200)
            #expect(String(decoding: health.body, as: UTF8.self).contains(product.home) == false)
            #expect(try await Answer.get(url + "/v1/environments").status == 401)
            let known = try await Answer.get(url + "/v1/health", ["authorization": "Bearer \(token)"])
            #expect(String(decoding: known.body, as: UTF8.self).contains(product.home))

            // A gateway that hangs, and with it the routes.
            kill(try product.gatewayPID(), SIGSTOP)
            defer { if let pid = try? product.gatewayPID() { kill(pid, SIGCONT) } }
            let reply = try await eventually("the refusal", within: .seconds(40)) {
                let reply = try await Answer.get(url + "/v1/ready")
                return reply.status == 503 ? reply : nil
            }
            let failure = try JSONDecoder().decode(Failure.self, from: reply.body)
            let parts = failure.error.details?.compactMap(\.code) ?? []
            #expect(parts.contains("gateway"))
            kill(try product.gatewayPID(), SIGCONT)
            try await eventually("readiness") { try await Answer.get(url + "/v1/ready").status == 200 ? true : nil }
            server.send(SIGTERM)
            #expect(try await server.ended() == 0)
        }
    }

    /// Against Prometheus' own checker where it is installed, and by a strict reading everywhere.
    @Test func metricsAreInPrometheusFormat() async throws {
        try await Product.with { product in
            let port = try #require(product.ports.split(separator: "-").last)
            let token = "msx_0123456789abcdef0123"
            let server = try ServeProcess(
                product, ["--listen", "127.0.0.1:\(port)"], environment: ["MICROSTAX_API_KEY": token])
            let url = "http://127.0.0.1:\(port)/metrics"
            try await eventually("the server", lastSeen: { server.said }) {
                try await Answer.get(url).status == 401 ? true : nil
            }
            try await product.mustRun(
                "env", "create", "--file", product.blueprint(Blueprints.chain()), "--wait")
            let reply = try await Answer.get(url, ["authorization": "Bearer \(token)"])
            #expect(reply.status == 200)
            #expect(reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            let text = String(decoding: reply.body, as: UTF8.self)
            let samples = try PrometheusText.parse(text)
            for name in [
                "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
                "process_start_time_seconds", "microstax_build", "microstax_store_bytes",
                "microstax_gateway_table_version", "microstax_reconcile_total",
            ] {
                let isThere = samples.contains { $0.name == name }
                #expect(isThere, "\(name)")
            }
            func value(_ name: String, _ labels: [String: String]) -> Double? {
                samples.first { $0.name == name && $0.labels == labels }?.value
            }
            #expect(value("microstax_environments", ["mode": "isolated", "state": "running"]) == 1)
            #expect(value("microstax_executions", ["kind": "create", "state": "succeeded"]) == 1)
            #expect(
                value("microstax_api_requests_total", ["operation": "createEnvironment", "status": "202"]) == 1)
            #expect(value("microstax_services", ["state": "ready"]) == 3)
            #expect(value("microstax_ready", ["part": "gateway"]) == 1)
            #expect(
                value("microstax_step_seconds_count", ["action": "startService", "outcome": "succeeded"]) == 3)
            // Nothing that a user named is a label.
            let values = Set(samples.flatMap(\.labels.values))
            #expect(values.isDisjoint(with: ["base", "front", "middle", "back"]))
            if FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool") {
                let outcome = try await Tool.run("/usr/bin/promtool", ["check", "metrics"], input: text)
                let said = String(decoding: outcome.stdout + outcome.stderr, as: UTF8.self)
                #expect(outcome.exitCode == 0, "\(said)")
            }
            server.send(SIGTERM)
            #expect(try await server.ended() == 0)
        }
    }

    @Test func theLogIsOneObjectALineAndHasNoSecret() async throws {
        try await Product.with { product in
            let token = "msx_0123456789abcdef0123"
            let server = try ServeProcess(
                product, ["--log-level", "debug"],
                environment: ["MICROSTAX_API_KEY": token, "MICROSTAX_LOG_FORMAT": "json"])
            try await eventually("the server", lastSeen: { server.said }) {
                try? product.serverPID() == server.pid ? true : nil
            }
            try await product.mustRun("env", "list")
            _ = try await product.run("env", "get", "nothing-\(token)")
            server.send(SIGTERM)
            #expect(try await server.ended() == 0)
            let lines = server.said.split(separator: "\n").filter { $0.hasPrefix("{") }
            #expect(lines.count > 2)
            #expect(!server.said.contains(token))
            let objects = try lines.map {
                try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: String])
            }
            for object in objects {
                #expect(Set(["time", "level", "logger", "message"]).isSubset(of: object.keys))
            }
            let request = objects.first { $0["operation"] == "listEnvironments" }
            #expect(request?["status"] == "200")
            #expect(request?["request"]?.hasPrefix("req_") == true)
        }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze"), "needs systemd"))
    func systemdUnderstandsTheUnits() async throws {
        let root = (#filePath as NSString).deletingLastPathComponent + "/../.."
        try await withTemporaryFolder { folder in
            for (name, options) in [("microstax.service", [String]()), ("user/microstax.service", ["--user"])] {
                // The program and its user are not installed where the tests run.
                var text = try String(contentsOfFile: "\(root)/packaging/systemd/\(name)", encoding: .utf8)
                text.replace("/usr/local/bin/microstax", with: Product.executable)
                text = text.split(separator: "\n", omittingEmptySubsequences: false).filter {
                    !$0.hasPrefix("User=") && !$0.hasPrefix("Group=") && !$0.hasPrefix("Documentation=")
                }.joined(separator: "\n")
                let unit = folder + "/microstax.service"
                try text.write(toFile: unit, atomically: true, encoding: .utf8)
                let outcome = try await Tool.run(
                    "/usr/bin/systemd-analyze", ["verify", "--man=no", "--recursive-errors=no"] + options + [unit],
                    environment: ["XDG_RUNTIME_DIR": folder, "PATH": "/usr/bin:/bin", "HOME": folder])
                let said = String(decoding: outcome.stdout + outcome.stderr, as: UTF8.self)
                #expect(outcome.exitCode == 0, "\(said)")
                #expect(!said.contains("microstax.service"), "\(said)")
            }
        }
    }

    private static func state(of pid: Int32) throws -> String {
        let text = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        return text.split(separator: ")").last?.split(separator: " ").first.map(String.init) ?? ""
    }
}
