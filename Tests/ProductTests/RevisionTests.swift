import API
import Foundation
import TestSupport
import Testing

/// A baseline moves on by revisions, and its overlays follow when they are asked to.
@Suite struct RevisionTests {
    private func chain(_ version: String, extra: String = "") -> String {
        Blueprints.chain().replacing(
            "  - name: back\n", with: "  - name: back\n    env: { VERSION: \(version)\(extra) }\n")
    }

    @Test func historyRollbackAndDifferences() async throws {
        try await Product.with { product in
            let path = try product.blueprint(chain("v1"))
            try await product.mustRun("baseline", "create", "--file", path, "--wait")
            let url = try #require(try await product.environment("base").endpoints.first?.url)
            for version in ["v2", "v3"] {
                _ = try product.blueprint(chain(version))
                try await product.mustRun("baseline", "update", "base", "--file", path)
            }
            let history = try await product.json([RevisionView].self, "baseline", "history", "base")
            #expect(history.map(\.number) == [3, 2, 1])
            #expect(history.map(\.isCurrent) == [true, false, false])
            #expect(history.first?.changes?.services.map(\.service) == ["back"])
            #expect(
                history.first?.changes?.services.first?.fields
                    == [FieldChangeView(path: "env.VERSION", old: "v2", new: "v3")])
            #expect(history.last?.changes == nil)
            let shown = try await product.mustRun("env", "diff", "base@1", "base")
            #expect(shown == "~ back  changed\n    env.VERSION  v1 → v3\n")
            #expect(try await product.run("env", "diff", "base@1", "base", "--exit-code").exitCode == 2)
            #expect(try await product.mustRun("env", "diff", "base", "base").contains("want the same"))

            let plan = try await product.mustRun("baseline", "rollback", "base", "--to", "1", "--dry-run")
            #expect(plan.contains("service/back/start") && !plan.contains("service/front/start"))
            try await product.mustRun("baseline", "rollback", "base", "--to", "1")
            #expect(try await Answer.get(url).answer.path == "front:v1 middle:v1 back:v1")
            let now = try await product.json([RevisionView].self, "env", "history", "base")
            #expect(now.map(\.number) == [4, 3, 2, 1])
            #expect(now.first?.reason == "rollback to revision 1")
            let missing = try await product.run("baseline", "rollback", "base", "--to", "9")
            #expect(missing.exitCode == 1 && missing.stderr.contains("no revision 9"))
        }
    }

    @Test func anOverlayFollowsWhenItIsAskedTo() async throws {
        try await Product.with { product in
            let path = try product.blueprint(chain("v1", extra: ", A: '1', B: '1'"))
            try await product.mustRun("baseline", "create", "--file", path, "--wait")
            let overlay = try product.blueprint(
                "name: feat\nservices:\n  - name: back\n    env: { VERSION: mine }\n", named: "feat.yaml")
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", overlay, "--wait")
            let url = try #require(try await product.environment("feat").endpoints.first?.url)
            let pids = try await product.pids(of: "feat")

            _ = try product.blueprint(chain("v1", extra: ", A: '2', B: '1'"))
            try await product.mustRun("baseline", "update", "base", "--file", path)
            // What the overlay defines stays as it was, and everybody can see that it is behind.
            #expect(try await product.environment("feat").parent?.latestRevision == 2)
            #expect(try await product.mustRun("overlay", "list").contains("base#r1 (1 behind)"))
            #expect(try await product.pids(of: "feat") == pids)
            let dry = try await product.mustRun("overlay", "rebase", "feat", "--dry-run")
            #expect(dry.contains("env.A  1 → 2"), "\(dry)")
            try await product.mustRun("overlay", "rebase", "feat")
            #expect(try await product.environment("feat").parent?.revision == 2)
            #expect(try await Answer.get(url).answer.path == "front:v1 middle:v1 back:mine")
            #expect(try await product.pids(of: "feat") != pids)
            #expect(try await product.mustRun("overlay", "rebase", "feat").contains("nothing is to change"))

            // What was scaled stays scaled.
            try await product.mustRun("env", "scale", "feat", "back=2")
            _ = try product.blueprint(chain("v1", extra: ", A: '2', B: '2'"))
            try await product.mustRun("baseline", "update", "base", "--file", path)
            try await product.mustRun("overlay", "rebase", "feat")
            let back = try await product.environment("feat").services.first { $0.name == "back" }
            #expect(back?.replicas == ServiceView.Replicas(ready: 2, desired: 2))
            try await product.mustRun("env", "scale", "feat", "back=1")

            // Both change one field: it is named, and nothing happens.
            _ = try product.blueprint(chain("v5", extra: ", A: '2', B: '2'"))
            try await product.mustRun("baseline", "update", "base", "--file", path)
            let refused = try await product.run("overlay", "rebase", "feat")
            #expect(refused.exitCode == 1)
            #expect(refused.stderr.contains("back env.VERSION was v1, is mine here and v5 in the parent"), "\(refused)")
            #expect(refused.stderr.contains("feat.yaml:4:21: error"), "\(refused)")
            #expect(try await product.environment("feat").parent?.revision == 3)
            // An update by another Blueprint says so, too.
            let stale = try await product.run("env", "update", "feat", "--file", overlay)
            #expect(stale.exitCode == 1 || stale.stdout.contains("nothing is to change"), "\(stale)")
            try await product.mustRun("overlay", "rebase", "feat", "--keep-mine")
            #expect(try await product.environment("feat").parent?.revision == 4)
            #expect(try await Answer.get(url).answer.path == "front:v1 middle:v1 back:mine")
            // Back to where it stood.
            try await product.mustRun("env", "rollback", "feat", "--to", "1")
            #expect(try await product.environment("feat").parent?.revision == 1)
        }
    }
}
