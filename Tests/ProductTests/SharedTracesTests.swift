import API
import Foundation
import TestSupport
import Testing

/// Two gateway processes, one after the other in the way of one request, and a service that forwards nothing but `traceparent`.
@Suite struct SharedTracesTests {
    private static let token = "msx_0123456789abcdef0123"

    private static let blueprint = """
        name: base
        services:
          - name: back
            command: [/usr/bin/python3, \(Product.services)/echo.py]
            ports: ["8080"]
            expose: true
          - name: front
            command: [/usr/bin/python3, \(Product.services)/echo.py]
            expose: true
            ports: ["8080"]
            env: { NEXT_URL: "${services.back.url}", FORWARD: "traceparent" }
        """

    private static let lazy = """
        name: lazy
        autoShutdownEnabled: false
        services:
          - name: reports
            command: [/usr/bin/python3, \(Product.services)/echo.py]
            activation: onDemand
            expose: true
            ports: ["8080"]
        """

    /// The time of the environment's last request, as the server's own gateway tells the server.
    private static func lastUse(of id: String, _ product: Product) async throws -> Int? {
        struct Snapshot: Decodable {
            struct Use: Decodable {
                let environment: String
                let lastRequestAt: Int?
            }
            let environments: [Use]
        }
        let reply = try await Tool.run(
            "/usr/bin/env",
            ["curl", "-s", "--unix-socket", product.home + "/gateway/gateway.sock", "http://localhost/activity"])
        return try JSONDecoder().decode(Snapshot.self, from: reply.stdout).environments
            .first { $0.environment == id }?.lastRequestAt
    }

    private static func parent(_ trace: Character) -> [String: String] {
        ["traceparent": "00-\(String(repeating: trace, count: 32))-00f067aa0ba902b7-01"]
    }

    @Test func whatOneHasSeenTheOtherKnows() async throws {
        try await Product.with { product in
            let port = Int.random(in: 12000...19000)
            let started = try await product.run(
                ["serve", "--detach", "--listen", "127.0.0.1:\(port)"], environment: ["MICROSTAX_API_KEY": Self.token])
            try #require(started.exitCode == 0, "\(started)")
            try await product.mustRun("baseline", "create", "--file", product.blueprint(Self.blueprint), "--wait")
            let change = try product.blueprint(Blueprints.change("back"), named: "feat.yaml")
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", change, "--wait")
            var hosts: [String: String] = [:]
            var urls: [String: String] = [:]
            for endpoint in try await product.environment("base").endpoints {
                urls[endpoint.service] = endpoint.url
                hosts[endpoint.service] = URL(string: endpoint.hostUrl)?.host()
            }
            let (front, back, own) = (
                try #require(hosts["front"]), try #require(hosts["back"]), try #require(urls["back"])
            )
            let other = try await StandaloneGateway(product, "alone", follows: port, token: Self.token)
            try await eventually("it shares", lastSeen: { other.process.said }) {
                try await other.metric("microstax_gateway_traces_shared") == 1 ? true : nil
            }

            // In at the one, and on over the server's own, which hears of the context by the trace alone.
            for _ in 0..<20 {
                #expect(try await other.path(front, ["x-msx-env": "feat"]) == "front:v1 back:v2")
                #expect(try await other.path(front) == "front:v1 back:v1")
            }
            // From here to there, and from there to here.
            #expect(try await other.path(back, Self.parent("a").merging(["x-msx-env": "feat"]) { $1 }) == "back:v2")
            #expect(try await Answer.get(own, Self.parent("a")).answer.path == "back:v2")
            #expect(
                try await Answer.get(own, Self.parent("b").merging(["x-msx-env": "feat"]) { $1 }).answer.path
                    == "back:v2")
            #expect(try await other.path(back, Self.parent("b")) == "back:v2")

            // What begins there to wait is woken, and counts as use.
            try await product.mustRun(
                "env", "create", "--file", product.blueprint(Self.lazy, named: "lazy.yaml"), "--wait")
            let lazy = try await product.environment("lazy")
            #expect(lazy.services.map(\.state) == ["cold"])
            let reports = try #require(lazy.endpoints.first.flatMap { URL(string: $0.hostUrl)?.host() })
            try await eventually("its table") { try await other.get(reports).status == 200 ? true : nil }
            let used = try await Self.lastUse(of: lazy.id, product)
            #expect(used != nil)

            // The server's own dies, and with it what it knew; the other one has it still.
            let killed = try product.gatewayPID()
            kill(killed, SIGKILL)
            try await eventually("the next gateway") { try product.gatewayPID() != killed ? true : nil }
            let path = try await eventually("its answer") { try? await Answer.get(own, Self.parent("c")).answer.path }
            #expect(path == "back:v1")
            // Asked before, it would take what it is asked for as begun without a context.
            try await eventually("it shares again", lastSeen: { other.process.said }) { () -> Bool? in
                other.process.said.components(separatedBy: "traces are shared with").count > 2 ? true : nil
            }
            for trace: Character in ["a", "b"] {
                #expect(try await Answer.get(own, Self.parent(trace)).answer.path == "back:v2")
            }
            for _ in 0..<20 { #expect(try await other.path(front, ["x-msx-env": "feat"]) == "front:v1 back:v2") }
            #expect(try await other.stop() == 0)
        }
    }
}
