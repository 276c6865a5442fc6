import Blueprints
import Foundation
import Testing

/// Whatever the bytes, there is an answer: a document or an error with a position.
@Suite struct RobustnessTests {
    /// Compose files of other projects, which lie beside the checkout where the project's data is at hand.
    static let composeFolder = URL(filePath: #filePath).resolvingSymlinksInPath()
        .appending(path: "../../../../shared/data/compose").standardizedFileURL

    private func check(_ bytes: [UInt8]) {
        let run = Run(bytes: bytes)
        if run.document == nil { #expect(run.diagnostics.contains { $0.severity == .error }) }
        for diagnostic in run.diagnostics {
            #expect(diagnostic.line >= 1 && diagnostic.column >= 1, "\(diagnostic.rendered)")
            #expect(diagnostic.message.utf8.count < 2000)
        }
        if let checked = run.checked {
            #expect((checked.spec == nil) == run.checked?.diagnostics.contains { $0.severity == .error })
            _ = checked.composed.explain("")
        }
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: composeFolder.path), "the Compose files are not at hand"))
    func answersComposeFiles() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.composeFolder.path).sorted()
        #expect(names.count > 10)
        var random = SeededRandom(state: 99)
        for name in names where name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
            let bytes = [UInt8](try Data(contentsOf: Self.composeFolder.appending(path: name)))
            check(bytes)
            #expect(Run(bytes: bytes).spec == nil, "\(name) is no Blueprint")
            for _ in 0..<5 { check(Self.mutated(bytes, &random)) }
        }
    }

    @Test func answersMutatedBlueprints() {
        var random = SeededRandom(state: 4711)
        let seeds = [NormalFormTests.everything, CompositionTests.parentText].map { Array($0.utf8) }
        for round in 0..<600 { check(Self.mutated(seeds[round % 2], &random)) }
    }

    @Test func answersNoise() {
        var random = SeededRandom(state: 1)
        let alphabet = Array("{}[]:,-?&*!|>'\"%@`#~ \n\t\u{0}aé$".utf8) + [0xFF, 0xC3]
        for _ in 0..<1000 {
            let count = Int.random(in: 0...60, using: &random)
            check((0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 })
        }
    }

    /// Each is nearly as large as a file may be, and made to be slow in some part.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            "services", "dependencies", "ports", "template", "cycles", "keys", "tags", "secrets", "pattern",
            "combining",
        ])
    func answersHostileFilesSoon(_ kind: String) {
        let head = "name: x\nservices:\n"
        func lines(_ count: Int, _ line: (Int) -> String) -> String { (0..<count).map(line).joined() }
        switch kind {
        case "services": check(Array((head + lines(20_000) { "  s\($0): {command: [a], dependsOn: [t\($0)]}\n" }).utf8))
        case "dependencies":
            let names = lines(400) { "  service-\($0): {command: [a], dependsOn: [servise-\($0), srvice-\($0)]}\n" }
            check(Array((head + names).utf8))
        case "ports": check(Array((head + "  a: {command: [a], ports: [" + lines(200_000) { _ in "80, " } + "]}").utf8))
        case "template":
            check(Array((head + "  a: {command: [a], env: {A: '" + lines(80_000) { _ in "${services." } + "'}}").utf8))
        case "cycles":
            let all = lines(70) { "${services.s\($0).url}" }
            check(Array((head + lines(70) { "  s\($0): {command: [a], env: {A: '\(all)'}}\n" }).utf8))
        case "keys": check(Array(lines(90_000) { "key\($0): 1\n" }.utf8))
        case "tags": check(Array((lines(60_000) { "%TAG !a\($0)! b\n" } + "---\nname: x").utf8))
        case "secrets":
            let all = lines(20_000) { "{name: s\($0), envKey: K\($0), value: x}, " }
            check(Array((head + "  a: {command: [a], secrets: [\(all)]}").utf8))
        case "pattern":
            let pattern = String(repeating: "(", count: 499) + "a" + String(repeating: ")", count: 499)
            check(Array((head + "  a: {command: [a], probes: {readiness: {log: {pattern: '\(pattern)'}}}}").utf8))
        default:
            check(Array(("name: x" + String(repeating: "\u{301}", count: 400_000) + "\n").utf8))
        }
    }

    private static func mutated(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...8, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: index)
            case 2:
                bytes.insert(
                    contentsOf: Array(
                        ["{", "}", "[", ": ", "- ", "*a", "&a ", "\t"].randomElement(using: &random)?.utf8 ?? "".utf8),
                    at: index)
            case 3:
                let end = min(bytes.count, index + Int.random(in: 1...40, using: &random))
                bytes.insert(contentsOf: bytes[index..<end], at: Int.random(in: 0...bytes.count, using: &random))
            default: bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 1...40, using: &random)))
            }
        }
        return bytes
    }

    @Test(.timeLimit(.minutes(1))) func checksALargeBlueprint() {
        var text = "name: big\nservices:\n"
        for index in 0..<500 {
            text += """
                  service-\(index):
                    command: [./service, --number, "\(index)"]
                    ports: ["8080", {name: admin, containerPort: 9090}]
                    env:
                      NEXT: "${services.service-\((index + 1) % 500).url}"
                      PREVIOUS: "${services.service-\((index + 499) % 500).address}"
                      LOG: debug
                    probes: {readiness: {http: {path: /healthz}}}
                    dependsOn: [\(index == 0 ? "" : "service-\(index / 2)")]

                """
        }
        let run = Run(text)
        let errors = run.diagnostics.filter { $0.severity == .error }
        #expect(errors == [])
        let count = run.spec?.services.count
        #expect(count == 500)
    }
}
