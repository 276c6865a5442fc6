import API
import Foundation
import TestSupport
import Testing

/// Somebody else is at work: what differs is found, said and mended.
@Suite struct DeviationTests {
    private func deviations(_ product: Product, _ arguments: String...) async throws -> [DeviationView] {
        let outcome = try await product.run(["env", "deviations"] + arguments + ["-o", "json"])
        guard outcome.exitCode == 0 else { throw NeverHappened(description: "\(outcome)") }
        return try JSONDecoder().decode([DeviationView].self, from: Data(outcome.stdout.utf8))
    }

    private func found(
        _ product: Product, _ environment: String, _ kind: String, _ state: String
    ) async throws -> DeviationView {
        try await eventually("\(kind) of \(environment) being \(state)") {
            try await deviations(product, environment).first { $0.kind == kind && $0.state == state }
        }
    }

    @Test func aKilledProcessIsToldAndMended() async throws {
        try await Product.with { product in
            let path = try product.blueprint(
                Blueprints.single("[/usr/bin/python3, \(Product.services)/echo.py]", more: "    expose: true"))
            try await product.mustRun("env", "create", "--file", path, "--wait")
            let url = try #require(try await product.environment("solo").endpoints.first?.url)
            _ = try await Answer.get(url + "die")
            let mended = try await found(product, "solo", "processEnded", "mended")
            #expect(mended.service == "api" && mended.message == "exited with 7" && mended.count == 1)
            let table = try await product.mustRun("env", "deviations", "solo")
            #expect(table.contains("processEnded") && table.contains("started again, as its restart policy says"))
            let events = try await product.mustRun("env", "events", "solo")
            #expect(events.contains("deviation") && events.contains("api: exited with 7"))
        }
    }

    @Test func aLostVolumeIsReportedAndBegunAnewOnlyWhenAsked() async throws {
        try await Product.with { product in
            let path = try product.blueprint(
                "repair: report\n"
                    + Blueprints.single(
                        "[/usr/bin/python3, \(Product.services)/echo.py]",
                        more: """
                                volumes: [{ name: data, mountPath: /data }]
                                init: [{ type: command, command: [sh, -c, 'echo seeded >> "$VOLUME_DATA/rows"'] }]
                            """))
            try await product.mustRun("env", "create", "--file", path, "--wait")
            let id = try await product.environment("solo").id
            let volume = product.home + "/environments/\(id)/volumes/api/data"
            #expect(try String(contentsOfFile: volume + "/rows", encoding: .utf8) == "seeded\n")
            try FileManager.default.moveItem(atPath: volume, toPath: product.folder + "/aside")
            // A new server looks closely soon; an old one within half a minute.
            try await product.mustRun("serve", "--stop")
            let open = try await found(product, "solo", "volumeMissing", "open")
            #expect(open.remedy?.contains("microstax env repair solo") == true)
            #expect(try await product.environment("solo").state == "degraded")
            let diagnosis = try await product.run("env", "diagnose", "solo")
            #expect(diagnosis.stdout.contains("microstax env repair solo"))
            #expect(!FileManager.default.fileExists(atPath: volume))
            let repaired = try await product.mustRun("env", "repair", "solo")
            #expect(repaired.contains("initialised again; what was in it is lost"))
            #expect(try String(contentsOfFile: volume + "/rows", encoding: .utf8) == "seeded\n")
            try await product.mustRun("env", "wait", "solo")
            let executions = try await product.mustRun("env", "executions", "solo")
            #expect(executions.contains("restart") && executions.contains("microstax"))
        }
    }

    @Test func anOrphanIsToldAndRemovedOnlyWhenAsked() async throws {
        try await Product.with { product in
            try await product.mustRun("env", "list")
            let folder = product.home + "/environments/env-unknown/volumes/db/data"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try await product.mustRun("serve", "--stop")
            let orphan = try await eventually("the orphan") {
                try await deviations(product, "--state", "open").first { $0.kind == "orphan" }
            }
            #expect(orphan.environment == "env-unknown")
            #expect(orphan.remedy?.contains("microstax env delete env-unknown --orphan") == true)
            #expect(FileManager.default.fileExists(atPath: folder))
            let wrong = try await product.run("env", "delete", "env-nobody", "--orphan")
            #expect(wrong.exitCode != 0 && wrong.stderr.contains("there is no orphan"))
            #expect(try await product.mustRun("env", "delete", "env-unknown", "--orphan") == "env-unknown is gone\n")
            #expect(!FileManager.default.fileExists(atPath: product.home + "/environments/env-unknown"))
            #expect(try await deviations(product).isEmpty)
        }
    }
}
