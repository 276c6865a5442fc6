import Blueprints
import Foundation
import Testing

@Suite struct ReaderTests {
    static let refused: [Case] = [
        Case("", "empty_blueprint@1:1"),
        Case("# only a comment\n", "empty_blueprint@1:1"),
        Case("---\n~\n", "empty_blueprint@1:1"),
        Case("name: x\n---\nname: y\n", "several_documents@2:1"),
        Case("name: x\nservices:\n\t- name: a\n", "tab_indentation@3:1"),
        Case("services:\n  a:\n\tcommand: [x]\n", "tab_indentation@3:1"),
        Case("name: *nothing\n", "unknown_alias@1:7"),
        Case("name: &a [*a]\n", "recursive_alias@1:11"),
        Case("name: !!binary aGk=\n", "unknown_tag@1:7"),
        Case("name: !Ref x\n", "unknown_tag@1:7"),
        Case("name: {a: 1\n", "yaml_syntax@2:1"),
        Case("name: \"x\n", "yaml_syntax@2:1"),
        Case("name: x\ndescription: y: z\n", "yaml_syntax@2:15"),
        Case("name: x\u{1}y\n", "yaml_syntax@1:8"),
    ]

    @Test(arguments: refused) func refuses(_ example: Case) {
        let run = Run(example.yaml)
        #expect(run.found == example.expected)
        #expect(run.document == nil)
    }

    @Test func reportsTheSecondOfTwoKeysWithTheLineOfTheFirst() throws {
        let run = Run("name: x\nservices: {a: {command: [a], env: {A: 1,\n  A: 2}}}\nname: y\n")
        #expect(run.found == ["duplicate_key@3:3", "duplicate_key@4:1"])
        #expect(run.diagnostics[0].message == "`A` is already set in line 2")
        #expect(run.diagnostics[1].message == "`name` is already set in line 1")
    }

    @Test func acceptsAByteOrderMarkAndCountsColumnsBehindIt() {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        #expect(Run(bytes: mark + Array("nam: x".utf8)).found.contains("unknown_key@1:1"))
        #expect(Run(bytes: mark + Array("name: x\nservices: {a: {command: [a]}}".utf8)).spec?.name == "x")
    }

    @Test func refusesOtherEncodingsAtTheBadByte() {
        let utf16: [UInt8] = [0xFF, 0xFE, 0x6E, 0x00]
        #expect(Run(bytes: utf16).found == ["not_utf8@1:1"])
        let latin1 = Array("name: x\ndescription: h".utf8) + [0xE9] + Array("llo\n".utf8)
        #expect(Run(bytes: latin1).found == ["not_utf8@2:15"])
        let overlong = Array("name: ä".utf8) + [0xC0, 0x80]
        #expect(Run(bytes: overlong).found == ["not_utf8@1:8"])
        #expect(Run(bytes: Array("name: ".utf8) + [0xE2, 0x82]).found == ["not_utf8@1:7"])
    }

    @Test func refusesAFileOfTenMebibytes() {
        let line = Array("# twenty-nine bytes of comment\n".utf8)
        let bytes = (0..<(10 << 20) / line.count).flatMap { _ in line }
        let run = Run(bytes: bytes)
        #expect(run.diagnostics.map(\.code) == ["yaml_too_large"])
        #expect(run.diagnostics[0].line == (1 << 20) / line.count + 1)
    }

    @Test(arguments: ["[", "{a: ", "- ", "? "]) func refusesDeepNesting(_ opening: String) {
        let run = Run(String(repeating: opening, count: 100_000))
        #expect(run.diagnostics.map(\.code) == ["yaml_too_deep"])
        #expect(run.diagnostics[0].line == 1)
        #expect(run.diagnostics[0].column > 1)
    }

    @Test func allowsNestingUpToTheLimit() {
        let nested = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(Run(nested).document != nil)
        #expect(Run("[" + nested + "]").found == ["yaml_too_deep@1:65"])
        // The depth that an alias brings counts, too.
        let half = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        let deepAlias = String(repeating: "[", count: 30) + "*a" + String(repeating: "]", count: 30)
        #expect(Run("a: &a \(half)\nb: \(deepAlias)").diagnostics.map(\.code) == ["yaml_too_deep"])
    }

    @Test func boundsWhatAliasesExpandTo() {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...20 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [\(aliases)]\n"
        }
        let run = Run(bomb)
        #expect(run.diagnostics.map(\.code) == ["yaml_too_large"])
        #expect(run.diagnostics[0].line == 6)

        let long = "a: &a \(String(repeating: "x", count: 100_000))\nb: [" + String(repeating: "*a, ", count: 100) + "]"
        #expect(Run(long).diagnostics.map(\.code) == ["yaml_too_large"])
    }

    @Test func boundsTheNumberOfValues() {
        let run = Run("a: [" + String(repeating: "1,", count: 250_000) + "]")
        #expect(run.diagnostics.map(\.code) == ["yaml_too_large"])
        #expect(run.diagnostics[0].column > 100_000)
    }

    @Test func boundsTheNumberOfProblems() {
        let lines = (0..<5000).map { "key\($0): 1" }.joined(separator: "\n")
        let run = Run(lines)
        #expect(run.diagnostics.count <= 501)
        #expect(run.diagnostics.last?.code == "too_many_problems")
    }

    @Test func expandsAliasesAndMergeKeys() throws {
        let spec = try #require(
            Run(
                """
                name: x
                services:
                  a: &base
                    command: [./a]
                    env: &env {A: "1", B: "2"}
                  b:
                    <<: *base
                    env: {<<: *env, B: "3"}
                """
            ).spec)
        #expect(spec.service("b")?.command == ["./a"])
        #expect(spec.service("b")?.env == ["A": "1", "B": "3"])
    }

    @Test func readsJSON() throws {
        let spec = try #require(
            Run(#"{"name": "x", "services": [{"name": "a", "command": ["./a"], "replicas": 1}]}"#).spec)
        #expect(spec.services.map(\.name) == ["a"])
    }

    @Test func readsJSONIndentedWithTabs() throws {
        #expect(
            Run("{\n\t\"name\": \"x\",\n\t\"services\": [\n\t\t{\"name\": \"a\", \"command\": [\"a\"]}\n\t]\n}").spec
                != nil)
        #expect(Run("{\n\t\"name\": \"x\"\n\t\"services\": []\n}").found == ["yaml_syntax@3:2"])
    }

    @Test func takesPlainTextByTheCoreSchema() throws {
        let spec = try #require(
            Run("name: x\nservices: {a: {command: [a], env: {A: no, B: 1.10, C: 0o17, D: true, E: 12:30, F: ''}}}").spec
        )
        #expect(spec.service("a")?.env == ["A": "no", "B": "1.10", "C": "0o17", "D": "true", "E": "12:30", "F": ""])
    }

    @Test func documentsAreStoredWithoutLoss() throws {
        let parent = try #require(Run("name: x\nservices: {a: {command: [a], env: {A: 1}}}").document)
        let run = Run(
            "name: y\nservices: {a: {env: {A: 2}}}", over: parent, mode: .overlay, file: "o.yaml", folder: "/o")
        let document = try #require(run.checked?.composed)
        let stored = try JSONEncoder().encode(document)
        #expect(try JSONDecoder().decode(BlueprintDocument.self, from: stored) == document)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(
                BlueprintDocument.self, from: Data(#"{"files": [], "root": {"at": [0, 1, 1]}}"#.utf8))
        }
    }
}
