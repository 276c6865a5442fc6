import API
import Foundation
import HTTPTransport
import TestSupport
import Testing

@testable import Commands

@Suite struct LayerCommandTests {
    private static let org = LayerView(
        name: "org", revision: 3, description: "What everybody has", file: "org.yaml", folder: "/layers",
        createdAt: "2026-11-20T19:00:00Z", actor: "owner",
        blueprint: "name: org\nservices: {api: {command: [./api]}}\n",
        files: [:], usedBy: ["shop", "team@2"])

    /// A folder with one file, gone afterwards.
    private func withFile<T>(_ text: String, _ body: (String) async throws -> T) async throws -> T {
        let folder = "/tmp/msx-l\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = folder + "/file.yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let result: Result<T, any Error>
        do { result = .success(try await body(path)) } catch { result = .failure(error) }
        try FileManager.default.removeItem(atPath: folder)
        return try result.get()
    }

    @Test func explanationsSayWhoSetWhat() {
        let values = [
            ExplanationView(
                path: "services.a.env.LOG", value: "trace", layer: "team@2", file: "team.yaml", line: 7, column: 16,
                overridden: [
                    .init(value: nil, layer: nil, file: "mid.yaml", line: 3, column: 2, removed: true),
                    .init(value: "info", layer: "org@1", file: "org.yaml", line: 4, column: 9),
                ]),
            ExplanationView(
                path: "services.a.replicas", value: "1", layer: "default", reason: "one copy"),
            ExplanationView(
                path: "services.b", value: nil, layer: nil, file: "shop.yaml", line: 2, column: 3,
                removed: "remove",
                overridden: [.init(value: nil, layer: "shop#r4", file: "base.yaml", line: 9, column: 3)]),
        ]
        #expect(
            ExplanationTables.provenance(values) == """
                services.a.env.LOG = trace
                  set by team@2 team.yaml:7:16
                  after it was removed at mid.yaml:3:2
                  replaced info at org@1 org.yaml:4:9
                services.a.replicas = 1 (default)
                  one copy
                services.b is removed by shop.yaml:2:3
                  was at shop#r4 base.yaml:9:3

                """)
    }

    @Test func aLayerIsShownWithItsTextAndItsUsers() async throws {
        try await FakeServer.run({ request in
            request.path == "/v1/layers/org%403" ? .json(Self.org) : .refusal(.notFound, "no \(request.path)")
        }) { address in
            let run = await CommandRun.run("layer", "get", "org@3", at: address)
            #expect(run.status == 0, "\(run)")
            #expect(run.output.contains("used by     shop, team@2\n"))
            #expect(run.output.hasSuffix("\nname: org\nservices: {api: {command: [./api]}}\n"))
            let quiet = await CommandRun.run("layer", "get", "org@3", "--quiet", at: address)
            #expect(quiet.output == "org@3\n")
        }
    }

    @Test func registeredLayersAreCheckedWithTheBlueprint() async throws {
        try await withFile("name: shop\nextends: [org]\nservices: {api: {replicas: 2}}\n") { path in
            try await FakeServer.run({ request in
                request.path == "/v1/layers/org" ? .json(Self.org) : .refusal(.notFound, "no \(request.path)")
            }) { address in
                let run = await CommandRun.run("blueprint", "validate", "--file", path, at: address)
                #expect(run.status == 0, "\(run)")
            }
        }
        // What the layer says is wrong here.
        try await withFile("name: shop\nextends: [org]\nservices: {web: {remove: true}}\n") { path in
            try await FakeServer.run({ _ in .json(Self.org) }) { address in
                let run = await CommandRun.run("blueprint", "validate", "--file", path, at: address)
                #expect(run.status == 65)
                #expect(run.output.contains("\(path):3:12: error: there is no service `web` to remove"))
            }
        }
        try await withFile("name: shop\nextends: [nix]\n") { path in
            try await FakeServer.run({ _ in .refusal(.notFound, "there is no layer 'nix'", hint: "there is: org") }) {
                address in
                let run = await CommandRun.run("env", "create", "--file", path, at: address)
                #expect(run.status == 65)
                #expect(run.errors.contains("\(path):2:11: error: there is no layer 'nix'"))
                #expect(run.errors.contains("there is: org"))
            }
        }
    }
}
