import API
import Foundation
import TestSupport
import Testing

/// A few of the kills of `make kill`: a part of the real program ends itself with SIGKILL at one of its points.
@Suite struct KillTests {
    @Test(arguments: [("serve", 2), ("serve", 21), ("serve", 60), ("supervise", 12), ("gateway", 3)])
    func aCreateInWhichAPartIsKilledComesToItsEnd(_ role: String, _ number: Int) async throws {
        try await Product.with { product in
            let armed = product.folder + "/armed"
            let variables = ["MICROSTAX_CRASH_POINTS": armed]
            // The server and all that it starts are given the variable.
            _ = try await product.run(["env", "list"], environment: variables)
            let server = try product.serverPID()
            try Data("once \(role) \(number)\n".utf8).write(to: URL(filePath: armed))
            let path = try product.blueprint(Blueprints.chain())
            let create = ["env", "create", "--file", path, "--no-wait"]
            let first = try await product.run(create, environment: variables)
            try await eventually("the kill") {
                // The file goes first. One that nobody has waited for yet has no command line any more.
                let line = FileManager.default.contents(atPath: "/proc/\(server)/cmdline") ?? Data()
                let isDead = role != "serve" || line.isEmpty
                return isDead && !FileManager.default.fileExists(atPath: armed) ? true : nil
            }

            let names = try await product.json([EnvironmentView].self, "env", "list").map(\.name)
            if first.exitCode == 0 { #expect(names == ["base"], "what was acknowledged is there") }
            if names.isEmpty { try await product.mustRun("env", "create", "--file", path, "--no-wait") }
            try await product.mustRun("env", "wait", "base")
            let environment = try await product.environment("base")
            #expect(environment.state == "running")
            let url = try #require(environment.endpoints.first?.url)
            try await eventually("the right answer") {
                let reply = try await Answer.get(url)
                return try reply.status == 200 && reply.answer.path == "front:v1 middle:v1 back:v1" ? true : nil
            }
        }
    }
}
