import API
import Foundation
import TestSupport
import Testing

/// Stopping, resuming and retrying.
@Suite struct LifecycleTests {
    @Test func aStoppedEnvironmentKeepsItsDataPortsAndLogs() async throws {
        try await Product.with { product in
            // The service counts its starts in its volume, and is initialised once.
            let count = "printf x >> $VOLUME_DATA/starts; exec /usr/bin/python3 \(Product.services)/echo.py"
            let more = """
                    expose: true
                    volumes: [{ name: data, mountPath: /data }]
                    init: { type: command, command: [sh, -c, "printf i >> $VOLUME_DATA/inits"] }
                """
            let path = try product.blueprint(Blueprints.single("[sh, -c, '\(count)']", more: more))
            try await product.mustRun("env", "create", "--file", path, "--wait")
            let before = try await product.environment("solo")
            let url = try #require(before.endpoints.first?.url)

            try await product.mustRun("env", "stop", "solo")
            let stopped = try await product.environment("solo")
            #expect(stopped.state == "stopped")
            #expect(stopped.services.map(\.state) == ["stopped"])
            let reply = try await Answer.get(url)
            #expect(reply.status == 503)
            #expect(reply.headers["x-msx-error"] == "no_endpoint")
            // Again is no error, and nothing brings it back: not its supervisor's end, not another server.
            #expect(try await product.mustRun("env", "stop", "solo").contains("stopped already"))
            try await eventually("the supervisor's end") { product.supervisors().isEmpty ? true : nil }
            kill(try product.serverPID(), SIGKILL)
            #expect(try await product.environment("solo").services.map(\.state) == ["stopped"])
            #expect(product.supervisors().isEmpty)

            try await product.mustRun("env", "resume", "solo")
            #expect(try await Answer.get(url).status == 200)
            let after = try await product.environment("solo")
            #expect(after.endpoints == before.endpoints)
            let data = product.home + "/environments/\(after.id)/volumes/api/data"
            #expect(try String(contentsOfFile: data + "/starts", encoding: .utf8) == "xx")
            #expect(try String(contentsOfFile: data + "/inits", encoding: .utf8) == "i")
            let starts =
                try await product.mustRun("env", "logs", "solo").components(separatedBy: "api listens").count - 1
            #expect(starts == 2)
        }
    }

    @Test func aFailedCreateIsRetriedFromWhereItFailed() async throws {
        try await Product.with { product in
            let good = product.folder + "/good"
            let text = """
                name: pair
                services:
                  - name: first
                    command: [/usr/bin/python3, \(Product.services)/echo.py]
                    ports: ["8080"]
                  - name: second
                    command: [sh, -c, '[ -e \(good) ] || exit 4; exec /usr/bin/python3 \(Product.services)/echo.py']
                    ports: ["8080"]
                    env: { NEXT_URL: "${services.first.url}" }
                    expose: true
                """
            let path = try product.blueprint(text)
            #expect(try await product.run("env", "create", "--file", path, "--wait").exitCode == 1)
            let failed = try await product.environment("pair")
            #expect(failed.state == "error")
            let again = try await product.run("env", "retry", "pair")
            #expect(again.exitCode == 1)
            #expect(again.stderr.contains("4"))

            try Data().write(to: URL(filePath: good))
            let plan = try await product.mustRun("env", "retry", "pair", "--dry-run")
            #expect(plan.contains("service/second/start"))
            try await product.mustRun("env", "retry", "pair")
            let running = try await product.environment("pair")
            #expect(running.state == "running")
            #expect(running.services.first { $0.name == "first" }?.restarts == 0)
            let url = try #require(running.endpoints.first?.url)
            #expect(try await Answer.get(url).answer.path == "second:v1 first:v1")
        }
    }

    @Test func aRefusedCommandSaysWhatWouldWork() async throws {
        try await Product.with { product in
            try await product.mustRun("baseline", "create", "--file", product.blueprint(Blueprints.chain()), "--wait")
            let overlay = try product.blueprint(Blueprints.change("back"), named: "feat.yaml")
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", overlay, "--wait")
            let stop = try await product.run("env", "stop", "base")
            #expect(stop.exitCode == 1)
            #expect(stop.stderr.contains("microstax env stop feat"))
            let retry = try await product.run("env", "retry", "base")
            #expect(retry.exitCode == 1)
            #expect(retry.stderr.contains("base is running; retry works in: error"))
            #expect(retry.stderr.contains("microstax env stop base"))

            try await product.mustRun("env", "stop", "feat", "base")
            let resume = try await product.run("env", "resume", "feat")
            #expect(resume.exitCode != 0)
            #expect(resume.stderr.contains("microstax env resume base"))
            try await product.mustRun("env", "resume", "base", "feat")
            let url = try #require(try await product.environment("feat").endpoints.first?.url)
            #expect(try await Answer.get(url).answer.path == "front:v1 middle:v1 back:v2")
        }
    }
}
