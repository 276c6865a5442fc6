import API
import Foundation
import TestSupport
import Testing

/// A state folder is lost, or taken back in time, under the real binary.
@Suite struct BackupTests {
    private static func blueprint(_ product: Product) throws -> String {
        try product.blueprint(
            """
            name: base
            services:
              - name: api
                command: [/usr/bin/python3, \(Product.services)/echo.py]
                expose: true
                ports: ["8080"]
                secrets: [{name: word, envKey: WORD, value: auto-generated}]
                volumes: [{name: data, mountPath: /data}]
            """)
    }

    /// The machine is lost with everything that ran; only the backup is left.
    @Test func whatABackupKnowsIsBroughtUpAgain() async throws {
        try await Product.with { product in
            try await product.mustRun("baseline", "create", "--file", Self.blueprint(product), "--wait")
            let before = try await product.environment("base")
            let file = product.folder + "/backup.tar"
            // While the server runs.
            try await product.mustRun("backup", "create", file, "--with-key")
            try await product.mustRun("backup", "verify", file)
            #expect(try await product.mustRun("backup", "list", file, "--quiet") == "base\n")
            try await product.mustRun("serve", "--stop")
            for pid in product.processes() { kill(pid, SIGKILL) }
            try await eventually("the end of everything") { product.processes().isEmpty ? true : nil }
            for name in try FileManager.default.contentsOfDirectory(atPath: product.home) {
                try FileManager.default.removeItem(atPath: product.home + "/" + name)
            }

            let said = try await product.mustRun("backup", "restore", file)
            #expect(said.contains("these volumes are not there any more and start empty:\n  base: api/data"))
            let after = try await eventually("the return of base") {
                let view = try await product.environment("base")
                return view.state == "running" && view.services.allSatisfy { $0.state == "ready" } ? view : nil
            }
            #expect(after.id == before.id)
            #expect(after.revision == before.revision)
            #expect(after.endpoints.map(\.url) == before.endpoints.map(\.url))
            let url = try #require(after.endpoints.first?.url)
            try await eventually("an answer") { try await Answer.get(url).status == 200 ? true : nil }
        }
    }

    @Test func aRestoreOverALivingFolderGoesBackAndStopsNothing() async throws {
        try await Product.with { product in
            try await product.mustRun("baseline", "create", "--file", Self.blueprint(product), "--wait")
            let file = product.folder + "/backup.tar"
            try await product.mustRun("backup", "create", file)
            let path = try product.blueprint(Blueprints.change("api", "feat"), named: "feat.yaml")
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", path, "--wait")
            try await product.mustRun("overlay", "delete", "feat")
            let supervisors = Set(product.supervisors())

            let refused = try await product.run("backup", "restore", file)
            #expect(refused.exitCode == 1)
            #expect(refused.stderr.contains("is not empty"))
            let said = try await product.mustRun("backup", "restore", file, "--force")
            #expect(said.contains("what was there is in \(product.home)/before-restore-"))
            #expect(!said.contains("start empty"))
            try await product.mustRun("env", "wait", "base")
            #expect(Set(product.supervisors()) == supervisors)
            let executions = try await product.json([ExecutionView].self, "env", "executions", "base")
            #expect(executions.count == 1)
        }
    }

    @Test func aDamagedBackupIsRefused() async throws {
        try await Product.with { product in
            try await product.mustRun("env", "list")
            let file = product.folder + "/backup.tar"
            try await product.mustRun("backup", "create", file)
            var bytes = try Data(contentsOf: URL(filePath: file))
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: URL(filePath: file))
            for verb in ["verify", "list", "restore"] {
                let outcome = try await product.run("backup", verb, file)
                #expect(outcome.exitCode == 1, "\(outcome)")
                #expect(outcome.stderr.contains("is damaged: "), "\(outcome)")
                #expect(outcome.stderr.contains("store.sqlite"), "\(outcome)")
            }
        }
    }
}
