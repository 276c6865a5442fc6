import API
import Foundation
import TestSupport
import Testing

/// gRPC with Google's own library on both sides, through the built gateway.
@Suite struct GRPCTests {
    private struct Answers: Decodable {
        var fail: [String]
        var large: String
        var count: Int
        var turns: [String]
    }

    private static let chain = """
        name: base
        services:
          - name: front
            command: [/usr/bin/python3, \(Product.services)/calls.py]
            ports: [{ name: rpc, protocol: grpc }]
            expose: true
            env: { NEXT_ADDRESS: "${services.back.address}" }
          - name: back
            command: [/usr/bin/python3, \(Product.services)/calls.py]
            ports: [{ name: rpc, protocol: grpc }]
        """

    /// The client's one line.
    private func run(_ url: String, _ metadata: [String]) async throws -> String {
        let address = try #require(URL(string: url).flatMap { url in url.port.map { "\(url.host ?? ""):\($0)" } })
        let outcome = try await Tool.run(
            "/usr/bin/python3", ["\(Product.services)/calls.py", "ask", address] + metadata,
            environment: ProcessInfo.processInfo.environment)
        let text = String(decoding: outcome.stdout, as: UTF8.self)
        try #require(!text.isEmpty, "\(String(decoding: outcome.stderr, as: UTF8.self))")
        return text
    }

    private func ask(_ url: String, _ metadata: [String]) async throws -> (text: String, Answers) {
        let text = try await run(url, metadata)
        return (text, try JSONDecoder().decode(Answers.self, from: Data(text.utf8)))
    }

    @Test func callsFindTheirOverlayAtEveryHopAndEveryKindOfCallPasses() async throws {
        try await Product.with { product in
            try await product.mustRun("baseline", "create", "--file", product.blueprint(Self.chain), "--wait")
            let change = "name: feat\nservices:\n  - { name: back, env: { VERSION: v2 } }\n"
            let overlay = try product.blueprint(change, named: "feat.yaml")
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", overlay, "--wait")
            let url = try #require(try await product.environment("base").endpoints.first?.url)

            let plain = try await ask(url, [])
            #expect(plain.text.contains(#""front:v1 back:v1", "front@base#r1", {"x-served-by": "front-v1"}"#))
            #expect(plain.1.fail == ["FAILED_PRECONDITION", "as asked: 100 %"])
            #expect(plain.1.large == "12000000" && plain.1.count == 5000)
            #expect(plain.1.turns == (0..<5).map { "v1 \($0)" })

            let inContext = try await ask(url, ["x-msx-env=feat"])
            #expect(inContext.text.contains(#""front:v1 back:v2""#), "\(inContext.text)")

            // What the gateway says itself a client of gRPC can read.
            let said = try await run(url, ["x-msx-env=faet"])
            #expect(said.contains(#""NOT_FOUND", "unknown_environment: There is no overlay of that name"#), "\(said)")
        }
    }
}
