import API
import Foundation
import TestSupport
import Testing

/// The server, the gateway and the supervisors die; nobody notices.
@Suite struct SurvivalTests {
    @Test func killingTheServerStopsNoServiceAndHidesNothing() async throws {
        try await Product.with { product in
            try await product.mustRun("baseline", "create", "--file", product.blueprint(Blueprints.chain()), "--wait")
            let url = try #require(try await product.environment("base").endpoints.first?.url)
            kill(try product.serverPID(), SIGKILL)
            #expect(try await Answer.get(url).answer.path == "front:v1 middle:v1 back:v1")

            // A service dies and comes back while no server runs.
            _ = try await Answer.get(url + "die")
            try await eventually("the return of the services") {
                try await Answer.get(url).status == 200 ? true : nil
            }
            // The next server has yet to hear from the supervisor.
            try await eventually("what the supervisor says") {
                let services = try await product.environment("base").services
                return services.allSatisfy { $0.state == "ready" } && services.contains { $0.restarts > 0 } ? true : nil
            }
            let logs = try await product.mustRun("env", "logs", "base")
            #expect(logs.contains("asked to die"))
            #expect(logs.contains("7"))
        }
    }

    @Test func aCreateThatTheServersDeathInterruptedIsFinishedByTheNextServer() async throws {
        try await Product.with { product in
            let gate = product.folder + "/gate"
            let wait = "while [ ! -e \(gate) ]; do sleep 0.05; done; exec /usr/bin/python3 \(Product.services)/echo.py"
            let path = try product.blueprint(Blueprints.single("[sh, -c, '\(wait)']"))
            try await product.mustRun("env", "create", "--file", path, "--no-wait")
            try await eventually("the start of api") {
                try await product.environment("solo").services.first?.state == "starting" ? true : nil
            }
            kill(try product.serverPID(), SIGKILL)
            try Data().write(to: URL(filePath: gate))
            try await product.mustRun("env", "wait", "solo")
            #expect(try await product.environment("solo").state == "running")
        }
    }

    @Test func theGatewayComesBackWithItsTable() async throws {
        try await Product.with { product in
            try await product.mustRun("baseline", "create", "--file", product.blueprint(Blueprints.chain()), "--wait")
            let url = try #require(try await product.environment("base").endpoints.first?.url)
            let pid = try product.gatewayPID()
            kill(pid, SIGKILL)
            try await eventually("the next gateway") { try product.gatewayPID() != pid ? true : nil }
            try await eventually("an answer") { try await Answer.get(url).status == 200 ? true : nil }
            #expect(try await Answer.get(url).answer.path == "front:v1 middle:v1 back:v1")
        }
    }

    @Test func aKilledSupervisorIsReplacedAndItsServicesComeBack() async throws {
        try await Product.with { product in
            let secret = """
                    secrets: [{ name: token, envKey: VERSION, value: auto-generated }]
                """
            let path = try product.blueprint(
                Blueprints.single(
                    "[/usr/bin/python3, \(Product.services)/echo.py]", more: secret + "\n    expose: true"))
            try await product.mustRun("env", "create", "--file", path, "--wait")
            let before = try await product.environment("solo")
            let url = try #require(before.endpoints.first?.url)
            let version = try await Answer.get(url).answer.version
            let supervisor = try #require(product.supervisors().first)
            kill(supervisor, SIGKILL)
            try await eventually("the service with the same secret") {
                let reply = try await Answer.get(url)
                return try reply.status == 200 && reply.answer.version == version ? true : nil
            }
            try await eventually("a running environment") {
                try await product.environment("solo").state == "running" ? true : nil
            }
        }
    }

    @Test func aSecondServerOnTheSameStateFolderIsRefused() async throws {
        try await Product.with { product in
            try await product.mustRun("env", "list")
            let second = try await product.run("serve")
            #expect(second.exitCode != 0)
            #expect(second.stderr.contains("another server has the state folder"))
            #expect(second.stderr.contains("hint:"))
        }
    }

    @Test func aFullDiskIsSaidAndNothingAcknowledgedIsLost() async throws {
        try await Product.with { product in
            // No file of the server may pass 1 MiB, as if the disk were full then.
            let limited = try await Tool.run(
                "/bin/sh", ["-c", "ulimit -f 2048; exec \(Product.executable) serve --detach"],
                environment: ProcessInfo.processInfo.environment.merging(product.variables) { $1 })
            #expect(limited.exitCode == 0)
            var accepted: [String] = []
            var refusal: Product.Outcome?
            for number in 0..<100 {
                let name = "full-\(number)"
                let path = try product.blueprint(
                    "name: \(name)\nservices:\n  - { name: api, command: [sleep, \"600\"] }\n")
                let outcome = try await product.run("env", "create", "--file", path, "--no-wait")
                guard outcome.exitCode == 0 else {
                    refusal = outcome
                    break
                }
                accepted.append(name)
            }
            let refused = try #require(refusal)
            #expect(refused.stderr.contains("store.sqlite"), "\(refused)")
            #expect(refused.stderr.contains("hint:"), "\(refused)")
            kill(try product.serverPID(), SIGKILL)
            let names = try await product.json([EnvironmentView].self, "env", "list").map(\.name)
            let missing = accepted.filter { !names.contains($0) }
            #expect(missing.isEmpty)
            #expect(!accepted.isEmpty)
        }
    }
}
