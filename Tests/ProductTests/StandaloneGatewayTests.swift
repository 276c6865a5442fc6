import API
import Foundation
import TestSupport
import Testing

/// `microstax gateway --control-plane`: beside the server's own gateway, with a shared port of its own.
@Suite struct StandaloneGatewayTests {
    private static let token = "msx_0123456789abcdef0123"

    @Test func followsAServerAndServesWithoutIt() async throws {
        try await Product.with { product in
            // Below the kernel's own range, as port 0 would hide which one was taken.
            let port = Int.random(in: 12000...19000)
            let serve = ["serve", "--detach", "--listen", "127.0.0.1:\(port)"]
            let started = try await product.run(serve, environment: ["MICROSTAX_API_KEY": Self.token])
            try #require(started.exitCode == 0, "\(started)")
            try await product.mustRun("baseline", "create", "--file", product.blueprint(Blueprints.chain()), "--wait")
            let overlay = try product.blueprint(Blueprints.change("back"), named: "feat.yaml")
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", overlay, "--wait")

            let gateway = try await StandaloneGateway(product, "alone", follows: port, token: Self.token)
            try await eventually("a table", lastSeen: { gateway.process.said }) {
                try await gateway.ready().status == 200 ? true : nil
            }
            let url = try #require(try await product.environment("base").endpoints.first?.hostUrl)
            let host = try #require(URL(string: url)?.host())
            #expect(try await gateway.path(host) == "front:v1 middle:v1 back:v1")
            #expect(try await gateway.path(host, ["x-msx-env": "feat"]) == "front:v1 middle:v1 back:v2")
            let other = host.replacing("front", with: "front--feat")
            #expect(try await gateway.path(other) == "front:v1 middle:v1 back:v2")

            // A change, also as a delta, is here as soon as it is there.
            let newer = try product.blueprint(Blueprints.change("front", version: "v3"), named: "feat.yaml")
            try await product.mustRun("env", "update", "feat", "--file", newer, "--wait")
            let path = try await eventually("the change", within: .seconds(3)) {
                let path = try await gateway.path(other)
                return path?.hasPrefix("front:v3") == true ? path : nil
            }
            #expect(path == "front:v3 middle:v1 back:v1")

            // Without the server.
            kill(try product.serverPID(), SIGKILL)
            #expect(try await gateway.path(other) == "front:v3 middle:v1 back:v1")
            #expect(try await gateway.stop() == 0)
            let again = try await StandaloneGateway(product, "alone", follows: port, token: Self.token)
            #expect(try await again.ready().status == 200)
            #expect(try await again.path(other) == "front:v3 middle:v1 back:v1")
            let fresh = try await StandaloneGateway(product, "fresh", follows: port, token: "msx_wrong")
            let reason = try await eventually("a reason") {
                let reply = try await fresh.ready()
                let text = String(decoding: reply.body, as: UTF8.self)
                return reply.status == 503 && text.contains("127.0.0.1:\(port)") && !text.contains("not heard yet")
                    ? text : nil
            }
            #expect(reason.contains("no routing table yet"))
            #expect(try await fresh.get(host).status != 200)

            // The next server numbers its tables itself.
            let next = try await product.run(serve, environment: ["MICROSTAX_API_KEY": Self.token])
            try #require(next.exitCode == 0, "\(next)")
            try await product.mustRun("env", "delete", "feat")
            try await eventually("the deletion", lastSeen: { again.process.said }) {
                try await again.path(other) == nil ? true : nil
            }
            #expect(try await again.path(host) == "front:v1 middle:v1 back:v1")
            // Whoever has not its token learns nothing.
            let refused = try await eventually("a refusal") {
                let text = String(decoding: try await fresh.ready().body, as: UTF8.self)
                return text.contains("token") ? text : nil
            }
            #expect(refused.contains("no routing table yet"))
            #expect(try await again.stop() == 0)
            #expect(try await fresh.stop() == 0)
        }
    }
}
