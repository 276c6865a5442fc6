import API
import Foundation
import TestSupport
import Testing

/// Layers of an organisation and a team under a file, through the real server.
@Suite struct LayersTests {
    private static let org = """
        name: org
        description: What everybody has
        labels: { company: acme }
        services:
          - name: front
            command: [/usr/bin/python3, \(Product.services)/echo.py]
            expose: true
            ports: ["8080"]
            env: { VERSION: org-1, NEXT_URL: "${services.back.url}", EXTRA_URL: "${services.extra.url}" }
          - name: back
            command: [/usr/bin/python3, \(Product.services)/echo.py]
            ports: ["8080"]
            env: { VERSION: org-1 }
          - name: extra
            command: [/usr/bin/python3, \(Product.services)/echo.py]
            ports: ["8080"]
        """
    private static let team = """
        name: team
        extends: [org, ./common.yaml]
        services:
          - name: back
            env: { VERSION: team-1 }
        """
    private static let common = """
        labels: { team: core }
        """
    private static let base = """
        name: base
        extends: [team]
        services:
          extra: null
          front:
            env: { EXTRA_URL: null }
        """

    private func apply(_ product: Product) async throws -> String {
        try await product.mustRun("layer", "apply", "--file", try product.blueprint(Self.org, named: "org.yaml"))
        _ = try product.blueprint(Self.common, named: "common.yaml")
        try await product.mustRun("layer", "apply", "--file", try product.blueprint(Self.team, named: "team.yaml"))
        return try product.blueprint(Self.base, named: "base.yaml")
    }

    private func explained(_ product: Product, _ name: String) async throws -> [String: ExplanationView] {
        let all = try await product.json([ExplanationView].self, "env", "explain", name)
        return Dictionary(all.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    }

    @Test func anUpdatedLayerWaitsForTheEnvironmentsUpdate() async throws {
        try await Product.with { product in
            let path = try await apply(product)
            // What it extended came along.
            try FileManager.default.removeItem(atPath: product.folder + "/common.yaml")
            try await product.mustRun("baseline", "create", "--file", path, "--wait")
            let url = try #require(try await product.environment("base").endpoints.first?.url)
            #expect(try await Answer.get(url).answer.path == "front:org-1 back:team-1")
            #expect(try await product.environment("base").layers == ["org@1", "team@1"])
            let first = try await explained(product, "base")
            let version = try #require(first["services.back.env.VERSION"])
            let place = [version.value, version.layer, version.file]
            #expect(place == ["team-1", "team@1", product.folder + "/team.yaml"])
            #expect(version.line == 5)
            #expect(version.overridden.map(\.value) == ["org-1"])
            #expect(version.overridden.map(\.layer) == ["org@1"])
            #expect(first["services.back.replicas"]?.layer == "default")
            #expect(first["services.back.replicas"]?.reason != nil)
            #expect(first["services.back.ports.http.name"]?.layer == "default")
            #expect(first["services.extra"]?.removed == "remove")
            #expect(first["services.extra"]?.overridden.first?.layer == "org@1")
            #expect(first["services.front.env.EXTRA_URL"]?.removed == "null")
            #expect(first["labels.team"]?.layer == "team@1")
            #expect(first["name"]?.layer == nil)

            // The same again is no revision; something else is.
            let org = product.folder + "/org.yaml"
            #expect(try await product.mustRun("layer", "apply", "--file", org).contains("org@1 says the same already"))
            _ = try product.blueprint(Self.org.replacing("org-1", with: "org-2"), named: "org.yaml")
            #expect(
                try await product.mustRun("layer", "apply", "--file", org, "--dry-run") == "org@2 would be registered\n"
            )
            #expect(try await product.mustRun("layer", "apply", "--file", org, "--quiet") == "org@2\n")
            #expect(try await product.json([LayerView].self, "layer", "history", "org").map(\.revision) == [1, 2])
            let pids = try await product.pids(of: "base")
            #expect(try await product.environment("base").revision == 1)
            #expect(try await Answer.get(url).answer.path == "front:org-1 back:team-1")
            let still = try await explained(product, "base")
            #expect(still["services.front.env.VERSION"]?.layer == "org@1")

            try await product.mustRun("env", "update", "base", "--file", path)
            #expect(try await Answer.get(url).answer.path == "front:org-2 back:team-1")
            #expect(try await explained(product, "base")["services.front.env.VERSION"]?.layer == "org@2")
            #expect(try await product.pids(of: "base")["back"] == pids["back"])

            #expect(try await product.environment("base").layers == ["org@2", "team@1"])

            // A pin goes back.
            _ = try product.blueprint(Self.base.replacing("[team]", with: "[team, org@1]"), named: "base.yaml")
            try await product.mustRun("env", "update", "base", "--file", path)
            #expect(try await Answer.get(url).answer.path == "front:org-1 back:team-1")

            let refused = try await product.run("layer", "delete", "org")
            #expect(refused.exitCode == 1)
            #expect(refused.stderr.contains("is used by base, team@1"))
            let layer = try await product.json(LayerView.self, "layer", "get", "org@1")
            #expect(layer.usedBy == ["base", "team@1"])
            #expect(layer.blueprint == Self.org)
            try await product.mustRun("env", "delete", "base")
            try await product.mustRun("layer", "delete", "team", "org")
            #expect(try await product.mustRun("layer", "list", "--quiet") == "")
            #expect(try await product.mustRun("layer", "apply", "--file", org, "--quiet") == "org@3\n")
        }
    }

    @Test func whatALayerSaysIsRefusedAndRenderedAtItsPlace() async throws {
        try await Product.with { product in
            let path = try await apply(product)
            try await product.mustRun("baseline", "create", "--file", path, "--wait")
            let overlay = try product.blueprint(
                """
                name: feat
                extends: [./mine.yaml]
                services:
                  - { name: back, env: { VERSION: feat } }
                """, named: "feat.yaml")
            let missing = try await product.run("overlay", "create", "--baseline", "base", "--file", overlay)
            #expect(missing.exitCode == 65)
            #expect(missing.stderr.contains("feat.yaml:2:11: error: cannot read \(product.folder)/mine.yaml"))
            _ = try product.blueprint("services: { back: { stopGraceSeconds: 3 } }", named: "mine.yaml")

            // Composed over the parent, it reads again as the same.
            let rendered = try await product.mustRun(
                "blueprint", "render", "--file", overlay, "--baseline", "base", "--provenance")
            #expect(rendered.contains("VERSION: feat  # \(overlay):4:"))
            #expect(rendered.contains("stopGraceSeconds: 3  # "))
            #expect(rendered.contains("company") == false)
            let again = try product.blueprint(rendered, named: "again.yaml")
            try await product.mustRun("blueprint", "validate", "--file", again, "--overlay-of", "base")
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", overlay, "--wait")
            let text = try await product.mustRun("env", "explain", "feat", "services.back.env.VERSION")
            #expect(text.contains("services.back.env.VERSION = feat\n  set by \(overlay):4:"))
            #expect(text.contains("  replaced team-1 at team@1 "))
            let gone = try await product.mustRun("env", "explain", "feat", "services.extra")
            #expect(gone.contains("services.extra is removed by base#r1 "))

            // Unknown layers, revisions and cycles are told where they are named.
            let unknown = try product.blueprint("name: x\nextends: [nix, team@7]\n", named: "unknown.yaml")
            let refused = try await product.run("env", "create", "--file", unknown)
            #expect(refused.exitCode == 65)
            #expect(refused.stderr.contains("unknown.yaml:2:11: error: there is no layer 'nix'"))
            #expect(refused.stderr.contains("unknown.yaml:2:16: error: the layer 'team' has no revision 7"))
            let cycle = try product.blueprint(Self.org + "\nextends: [team]\n", named: "org.yaml")
            let circular = try await product.run("layer", "apply", "--file", cycle)
            #expect(circular.exitCode == 65)
            #expect(circular.stderr.contains("org → team → org"))
            // A file without a server.
            let dead = ["MICROSTAX_API_URL": "http://127.0.0.1:1"]
            let local = try product.blueprint("name: x\nextends: [./org2.yaml]\n", named: "local.yaml")
            _ = try product.blueprint(Self.org, named: "org2.yaml")
            let offline = try await product.run(["blueprint", "render", "--file", local], environment: dead)
            #expect(offline.exitCode == 0, "\(offline)")
            #expect(offline.stdout.contains("company: acme"))
        }
    }
}
