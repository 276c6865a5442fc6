import API
import Foundation
import TestSupport
import Testing

/// What is refused before anything starts, through the built program: every conflict at once, with both places and a way out.
@Suite struct ConflictTests {
    private func claiming(_ text: String, of service: String = "back") -> String {
        text.replacing("  - name: \(service)\n", with: "  - name: \(service)\n    claims: ['queue:orders']\n")
    }

    @Test func everyConflictIsNamedWithBothPlacesAndNothingIsMade() async throws {
        try await Product.with { product in
            let base = try product.blueprint(claiming(Blueprints.chain()), named: "base.yaml")
            try await product.mustRun("baseline", "create", "--file", base, "--wait")
            let overlay = try product.blueprint(
                """
                name: feat
                routing: { headerName: x-other }
                services:
                  - name: back
                    env: { VERSION: v2 }
                  - name: midle
                    command: [/usr/bin/python3, \(Product.services)/echo.py]
                    ports: ["8080"]
                """, named: "feat.yaml")
            let before = try await product.pids(of: "base")
            for isDryRun in [true, false] {
                let refused = try await product.run(
                    ["overlay", "create", "--baseline", "base", "--file", overlay] + (isDryRun ? ["--dry-run"] : []))
                #expect(refused.exitCode == 1, "\(refused)")
                for code in ["claim_held", "similar_service_name", "header_contradicts"] {
                    #expect(refused.stderr.contains("[\(code)]"), "\(refused)")
                }
                #expect(refused.stderr.contains("feat.yaml:6:11: error: midle would be a new service"), "\(refused)")
                #expect(refused.stderr.contains("the other side: \(base):"), "\(refused)")
                #expect(refused.stderr.contains("way out: "), "\(refused)")
                #expect(refused.stderr.contains("3 conflicts between feat and what is there; nothing was changed"))
            }
            #expect(try await product.run("env", "get", "feat").exitCode == 1)
            #expect(try await product.pids(of: "base") == before)
        }
    }

    @Test func whatIsAcceptedIsRecordedAndSiblingsAreHeldAgainstEachOther() async throws {
        try await Product.with { product in
            let base = try product.blueprint(Blueprints.chain(), named: "base.yaml")
            try await product.mustRun("baseline", "create", "--file", base, "--wait")
            func overlay(_ name: String) throws -> String {
                try product.blueprint(
                    "name: \(name)\nservices:\n  - name: back\n    claims: ['queue:orders']\n", named: "\(name).yaml")
            }
            try await product.mustRun(
                "overlay", "create", "--baseline", "base", "--file", try overlay("one"), "--wait")
            let arguments = ["overlay", "create", "--baseline", "base", "--file", try overlay("two"), "--wait"]
            let refused = try await product.run(arguments)
            #expect(refused.exitCode == 1)
            #expect(refused.stderr.contains("back claims queue:orders, which back of one holds"), "\(refused)")
            #expect(refused.stderr.contains("accept: --allow claim_held"), "\(refused)")
            let accepted = try await product.run(arguments + ["--allow", "claim_held"])
            #expect(accepted.exitCode == 0, "\(accepted)")
            #expect(accepted.stderr.contains("[claim_held]"), "\(accepted)")
            // The same overlayId in a lineage is never accepted.
            let same = try product.blueprint(
                "name: three\nrouting: {overlayId: one}\nservices: [{name: back, env: {A: '1'}}]\n", named: "same.yaml")
            let taken = try await product.run([
                "overlay", "create", "--baseline", "base", "--file", same, "--allow", "overlay_id_taken",
            ])
            #expect(taken.exitCode == 1)
            #expect(taken.stderr.contains("same.yaml:2:22"), "\(taken)")
            #expect(taken.stderr.contains("[overlay_id_taken]"), "\(taken)")
            // With the holder the claim goes.
            try await product.mustRun("overlay", "delete", "one", "two")
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", try overlay("two"), "--wait")
        }
    }

    private func contract(_ operations: [String]) -> String {
        let paths = operations.map { "  /\($0): {get: {responses: {'200': {description: ok}}}}\n" }.joined()
        return "openapi: 3.0.3\ninfo: {title: back, version: '1'}\npaths:\n" + paths
    }

    @Test func aBrokenContractIsSaidWithBothPlaces() async throws {
        try await Product.with { product in
            _ = try product.blueprint(contract(["orders", "refunds"]), named: "back.yaml")
            let text = Blueprints.chain().replacing(
                "  - name: back\n", with: "  - name: back\n    contract: back.yaml\n")
            let base = try product.blueprint(text, named: "base.yaml")
            try await product.mustRun("baseline", "create", "--file", base, "--wait")
            _ = try product.blueprint(contract(["orders"]), named: "mine.yaml")
            let overlay = try product.blueprint(
                "name: feat\nservices:\n  - name: back\n    contract: mine.yaml\n", named: "feat.yaml")
            let arguments = ["overlay", "create", "--baseline", "base", "--file", overlay, "--wait"]
            let refused = try await product.run(arguments)
            #expect(refused.exitCode == 1, "\(refused)")
            #expect(refused.stderr.contains("[contract_broken]"), "\(refused)")
            #expect(refused.stderr.contains("mine.yaml:") && refused.stderr.contains("back.yaml:5:"), "\(refused)")
            // What is only added breaks nobody.
            _ = try product.blueprint(contract(["orders", "refunds", "returns"]), named: "mine.yaml")
            #expect(try await product.run(arguments).exitCode == 0)

            // The same Blueprint with another text of its contract is another revision.
            _ = try product.blueprint(contract(["refunds"]), named: "back.yaml")
            let update = ["baseline", "update", "base", "--file", base]
            let broken = try await product.run(update)
            #expect(broken.exitCode == 1 && broken.stderr.contains("[contract_broken]"), "\(broken)")
            #expect(try await product.environment("base").revision == 1)
            #expect(try await product.run(update + ["--allow", "contract_broken"]).exitCode == 0)
            #expect(try await product.environment("base").revision == 2)
            #expect(
                try await product.mustRun("baseline", "update", "base", "--file", base).contains("nothing is to change")
            )
            // And so is going back to it, which breaks nobody who was there before.
            #expect(try await product.run("baseline", "rollback", "base", "--to", "1").exitCode == 0)
        }
    }

    @Test func whatWasAcceptedIsNotAskedAgain() async throws {
        try await Product.with { product in
            let text = claiming(Blueprints.chain())
            let base = try product.blueprint(text, named: "base.yaml")
            try await product.mustRun("baseline", "create", "--file", base, "--wait")
            let overlay = try product.blueprint(Blueprints.change("back"), named: "feat.yaml")
            let arguments = ["overlay", "create", "--baseline", "base", "--file", overlay, "--wait"]
            #expect(try await product.run(arguments).exitCode == 1)
            #expect(try await product.run(arguments + ["--allow", "claim_held"]).exitCode == 0)
            _ = try product.blueprint(
                text.replacing("  - name: front\n", with: "  - name: front\n    args: []\n    stopSignal: SIGINT\n"),
                named: "base.yaml")
            #expect(try await product.run("baseline", "update", "base", "--file", base).exitCode == 0)
            #expect(try await product.run("overlay", "rebase", "feat").exitCode == 0)
        }
    }
}
