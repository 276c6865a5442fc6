import Foundation
import TestSupport
import Testing

@testable import Blueprints

/// The grammar is described once; what the checkers take and what the schema says are held against each other here.
@Suite struct SchemaTests {
    private let root = URL(filePath: #filePath).resolvingSymlinksInPath().appending(path: "../../..")
        .standardizedFileURL

    /// Every map with known keys, with a path of keys and list items that leads there.
    static func places() -> [(path: [String], map: GrammarMap)] {
        var found: [(path: [String], map: GrammarMap)] = []
        func walk(_ map: GrammarMap, _ path: [String]) {
            found.append((path, map))
            for field in map.fields { walk(field.shape, path + [field.name]) }
        }
        func walk(_ shape: GrammarShape, _ path: [String]) {
            guard path.count < 12 else { return }
            switch shape {
            case .list(let item): walk(item, path + ["[]"])
            case .map(let item): walk(item, path + ["any"])
            case .fields(let map): walk(map, path)
            case .named(let map, _, _): walk(map, path + ["[named]"])
            case .oneOf(let all): for one in all { walk(one, path) }
            default: break
            }
        }
        walk(Grammar.root, [])
        return found
    }

    /// A Blueprint in flow style in which the map at the path has one more key.
    private func text(_ path: ArraySlice<String>, _ inner: String) -> String {
        guard let first = path.first else { return inner }
        let below = text(path.dropFirst(), inner)
        switch first {
        case "[]": return "[\(below)]"
        // Without a name, a checker looks no further.
        case "[named]": return below.hasPrefix("{name: ") ? "[\(below)]" : "[{name: a, \(below.dropFirst())]"
        // What a checker wants to know before it looks inside.
        case "value": return "{envKey: B, value: \(below)}"
        case "request": return "{type: http, request: \(below)}"
        default: return "{\(first): \(below)}"
        }
    }

    private func unknown(_ path: [String], _ map: GrammarMap, _ key: String) -> [Diagnostic] {
        // An initialiser's keys go by its type.
        let type = map.field("type").flatMap { field -> String? in
            guard case .choice(let all) = field.shape, all.count == 1, key != "type" else { return nil }
            return "type: \(all[0]), "
        }
        let run = Run(text(path[...], "{\(type ?? "")\(key): x}"))
        return run.diagnostics.filter { $0.code == "unknown_key" }
    }

    @Test func checkersTakeEveryKeyOfTheGrammar() {
        for (path, map) in Self.places() {
            for key in map.keys {
                let found = unknown(path, map, key)
                #expect(found == [], "\(path.joined(separator: ".")).\(key)")
            }
        }
    }

    @Test func checkersTakeNoOtherKey() {
        for (path, map) in Self.places() {
            let found = unknown(path, map, "zzz")
            #expect(found.count == 1, "\(path.joined(separator: "."))")
        }
    }

    /// Keys that a checker names by itself could be unknown to the schema.
    @Test func checkersTakeTheirKeysFromTheGrammar() throws {
        let folder = root.appending(path: "Sources/Blueprints/Checking")
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            #expect(!text.contains("known: [\""), "\(name): take the keys from Grammar")
        }
    }

    private static let hasValidator = FileManager.default.fileExists(
        atPath: "/usr/lib/python3/dist-packages/jsonschema")

    private func verdicts(_ texts: [String]) async throws -> [[String: String]] {
        let program = """
            import json, sys, yaml
            from jsonschema import Draft202012Validator
            given = json.load(sys.stdin)
            schema = json.loads(given["schema"])
            Draft202012Validator.check_schema(schema)
            validator = Draft202012Validator(schema)
            class Core(yaml.SafeLoader): pass
            # The core schema of YAML 1.2, as this product reads it.
            Core.yaml_implicit_resolvers = {}
            def plain(tag, pattern, first):
                import re
                Core.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(pattern), first)
            plain("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF"))
            plain("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""])
            plain("int", r"^[-+]?[0-9]+$", list("-+0123456789"))
            plain("float", r"^[-+]?(?:\\.[0-9]+|[0-9]+(?:\\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789"))
            plain("merge", r"^(?:<<)$", ["<"])
            answers = []
            for text in given["texts"]:
                errors = sorted(validator.iter_errors(yaml.load(text, Core)), key=str)
                answers.append({"error": errors[0].message[:300] + " at " + errors[0].json_path} if errors else {})
            json.dump(answers, sys.stdout)
            """
        let input = try JSONEncoder().encode(Given(schema: Blueprint.schema(), texts: texts))
        let outcome = try await Tool.run(
            "/usr/bin/python3", ["-c", program], input: String(decoding: input, as: UTF8.self))
        let complaint = String(decoding: outcome.stderr, as: UTF8.self)
        try #require(outcome.exitCode == 0, "\(complaint)")
        return try JSONDecoder().decode([[String: String]].self, from: outcome.stdout)
    }

    private struct Given: Encodable {
        var schema: String
        var texts: [String]
    }

    @Test(.enabled(if: hasValidator, "python3-jsonschema is not installed"))
    func aValidatorTakesTheSchemaAndGoodBlueprints() async throws {
        let shop = root.appending(path: "examples/shop")
        let page = try String(contentsOf: root.appending(path: "docs/reference/blueprint.md"), encoding: .utf8)
        let example = try #require(page.components(separatedBy: "```").first { $0.hasPrefix("yaml\n") })
        var texts = [NormalFormTests.everything, CompositionTests.parentText, String(example.dropFirst(5))]
        for name in ["baseline.yaml", "overlay.yaml"] {
            texts.append(try String(contentsOf: shop.appending(path: name), encoding: .utf8))
        }
        // Whatever the checkers find nothing wrong with, by the grammar's own generator.
        for seed in UInt64(0)..<1500 {
            let text = String(decoding: FuzzedText(seed: seed).bytes(), as: UTF8.self)
            let (document, problems) = Blueprint.read(Array(text.utf8), file: "f", folder: "/")
            guard let document, problems.isEmpty, !text.contains("!"), !text.contains("?") else { continue }
            if Blueprint.check(document, unbuilt: .warning).spec != nil { texts.append(text) }
        }
        #expect(texts.count > 25)
        let answers = try await verdicts(texts)
        for (text, answer) in zip(texts, answers) {
            #expect(answer["error"] == nil, "\(answer["error"] ?? "")\n\(text.prefix(1500))")
        }
    }

    @Test(.enabled(if: hasValidator, "python3-jsonschema is not installed"))
    func aValidatorFindsWhatIsWrong() async throws {
        let bad = [
            "services: {a: {command: [a]}}", "name: x\nservice: {}", "name: A_b",
            "name: x\nservices: {a: {comand: [a]}}",
            "name: x\nservices: [{command: [a]}]", "name: x\nservices: {a: {replicas: many}}",
            "name: x\nservices: {a: {ports: [{protocol: udp}]}}", "name: x\nrouting: {mode: other}",
            "name: x\nservices: {a: {ports: [80-90]}}", "name: x\nservices: {a: {init: {type: sqll}}}",
        ]
        let answers = try await verdicts(bad)
        for (text, answer) in zip(bad, answers) { #expect(answer["error"] != nil, "\(text)") }
    }
}
