import Foundation
import TestSupport
import Testing

@testable import Commands

/// Commands that work on files alone.
@Suite struct BlueprintCommandTests {
    private static let compose = """
        services:
          web_app:
            build: .
            ports: ["80:8080"]
            environment: {DB_PASSWORD: "${DB_PASSWORD}", URL: "db:5432", TAG: "${TAG}"}
          db: {image: "postgres:16", networks: [n]}
        """

    private func withFolder(_ files: [String: String], _ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "blueprint-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in files {
            let path = URL(filePath: folder).appending(path: name)
            try FileManager.default.createDirectory(
                at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: path)
        }
        try await body(folder)
    }

    private func text(_ path: String) throws -> String {
        try String(decoding: Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }

    @Test func importsWritesAndReports() async throws {
        try await withFolder(["compose.yaml": Self.compose, ".env": "TAG=7\nDB_PASSWORD=hush\n"]) { folder in
            let (from, to) = (folder + "/compose.yaml", folder + "/blueprint.yaml")
            let run = await CommandRun.run(["blueprint", "import", from, "-o", to])
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output.contains("\(from):3:5: attention: services.web_app.build: "))
            #expect(run.output.contains("\(from):6:30: left out: services.db.networks: "))
            #expect(run.output.contains("wrote \(to)"))
            let written = try text(to)
            #expect(written.contains("URL: ${services.db.address}"))
            #expect(written.contains("TAG: 7"))
            #expect(!written.contains("hush"))
            let valid = await CommandRun.run(
                ["blueprint", "validate", "--file", to], environment: ["DB_PASSWORD": "x"])
            #expect(valid.status == 0, "\(valid.output)\(valid.errors)")
            #expect(valid.output.contains("is valid; this version cannot run it yet"))
            let runnable = await CommandRun.run(["env", "validate", "--file", to], environment: ["DB_PASSWORD": "x"])
            #expect(runnable.status == 65)
            #expect(runnable.output.contains("`image` is not built yet"))
            let usual = await CommandRun.run(["blueprint", "format", "--check", to])
            #expect(usual.status == 0)

            let again = await CommandRun.run(["blueprint", "import", from, "-o", to])
            #expect(again.status == 65)
            #expect(again.errors.contains("--force"))
            let forced = await CommandRun.run(["blueprint", "import", from, "-o", to, "--force", "--quiet"])
            #expect(forced.status == 0)
            #expect(forced.output.isEmpty)
        }
    }

    @Test func importsToStdout() async throws {
        try await withFolder(["compose.yaml": Self.compose]) { folder in
            let from = folder + "/compose.yaml"
            let plain = await CommandRun.run(["blueprint", "import", from, "--name", "Other"])
            #expect(plain.output.contains("\nname: other\n"))
            #expect(plain.errors.contains("carried over"))
            let quiet = await CommandRun.run(["blueprint", "import", from, "--quiet"])
            #expect(quiet.errors.isEmpty)
            let json = await CommandRun.run(["blueprint", "import", from, "-o", "json"])
            let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
            #expect(Set(object.keys) == ["blueprint", "diagnostics", "notes"])
            let bad = await CommandRun.run(["blueprint", "import", "/nonexistent.yaml"])
            #expect(bad.status == 65)
        }
    }

    @Test func formatsFiles() async throws {
        let messy = "services: # all\n    a:\n        command: [a]\nname: x\n"
        let tidy = "name: x\nservices: # all\n  a:\n    command: [a]\n"
        try await withFolder(["a.yaml": messy, "b.yaml": tidy, "c.yaml": "a: ["]) { folder in
            let (first, second) = (folder + "/a.yaml", folder + "/b.yaml")
            let shown = await CommandRun.run(["blueprint", "format", first])
            #expect(shown.output == tidy)
            #expect(try text(first) == messy)
            let checked = await CommandRun.run(["blueprint", "format", "--check", first, second])
            #expect(checked.status == 1)
            #expect(checked.output == first + "\n")
            #expect(checked.errors.contains("microstax blueprint format -w \(first)"))

            let link = folder + "/link.yaml"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "a.yaml")
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: first)
            let written = await CommandRun.run(["blueprint", "format", "-w", link, second])
            #expect(written.status == 0)
            #expect(written.output == link + "\n")
            #expect(try text(first) == tidy)
            let attributes = try FileManager.default.attributesOfItem(atPath: first)
            #expect(attributes[.posixPermissions] as? Int == 0o640)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "a.yaml")
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            #expect(names == ["a.yaml", "b.yaml", "c.yaml", "link.yaml"])

            let broken = await CommandRun.run(["blueprint", "format", folder + "/c.yaml"])
            #expect(broken.status == 65)
            #expect(broken.errors.contains("yaml_syntax"))
            let both = await CommandRun.run(["blueprint", "format", "-w", "--check", first])
            #expect(both.status == 64)
        }
    }

    @Test func printsTheSchema() async throws {
        let run = await CommandRun.run(["blueprint", "schema"])
        let object = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(object["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
    }

    @Test func discoversWithinTheFolder() async throws {
        let files = [
            "shop/web/package.json": #"{"scripts": {"start": "node ."}}"#, "shop/api/Procfile": "web: ./api\n",
            "shop/node_modules/x/package.json": #"{"scripts": {"start": "x"}}"#,
            "shop/a/b/c/d/e/f/package.json": #"{"scripts": {"start": "x"}}"#, "outside/Procfile": "web: ./outside\n",
        ]
        try await withFolder(files) { folder in
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/shop/link", withDestinationPath: folder + "/outside")
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/shop/Procfile", withDestinationPath: folder + "/outside/Procfile")
            let run = await CommandRun.run(["blueprint", "discover", folder + "/shop"])
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output.contains("\n  api:\n"))
            #expect(run.output.contains("\n  web:\n"))
            #expect(!run.output.contains("outside"))
            #expect(run.output.components(separatedBy: "command:").count == 3)
            #expect(run.errors.contains("there is more in"))
            let none = await CommandRun.run(["blueprint", "discover", folder + "/shop/node_modules/x/nothing"])
            #expect(none.status == 65)
        }
    }
}
