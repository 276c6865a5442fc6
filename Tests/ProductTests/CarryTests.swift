import API
import Foundation
import TestSupport
import Testing

/// A caller that forwards nothing would take a test to the wrong code; once that is known, it is carried along.
@Suite struct CarryTests {
    @Test func whoIsKnownToForgetItsContextIsCopiedToo() async throws {
        try await Product.with { product in
            let chain = Blueprints.chain().replacing(
                "env: { NEXT_URL: \"${services.back.url}\" }",
                with: "env: { NEXT_URL: \"${services.back.url}\", FORWARD: \"no\" }")
            let base = try product.blueprint(chain, named: "base.yaml")
            try await product.mustRun("baseline", "create", "--file", base, "--wait")
            func overlay(_ name: String) throws -> String {
                try product.blueprint(Blueprints.change("back", name), named: "\(name).yaml")
            }
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", try overlay("one"), "--wait")
            let url = try #require(try await product.environment("one").endpoints.first?.url)
            // Before anything is known, the change is not reached, and the answer says so.
            let lost = try await Answer.get(url)
            #expect(try lost.answer.path == "front:v1 middle:v1 back:v1")
            #expect(lost.headers["x-msx-warning"] == "context_lost")

            let two = ["overlay", "create", "--baseline", "base", "--file", try overlay("two"), "--carry"]
            let plan = try await product.run(two + ["--dry-run"])
            #expect(plan.stdout.contains("& middle  forwards no context (lost it in 1 of 1 calls)"), "\(plan)")
            #expect(plan.stdout.contains("= 1 inherited: front"), "\(plan)")
            #expect(try await product.run(two + ["--wait"]).exitCode == 0)
            let own = try #require(try await product.environment("two").endpoints.first?.url)
            let reached = try await Answer.get(own)
            #expect(try reached.answer.path == "front:v1 middle:v1 back:v2")
            #expect(reached.headers["x-msx-warning"] == nil)
        }
    }
}
