import Foundation
import Testing

/// Holds the target graph and every import against the table in docs/internals/architecture.md.
@Suite struct ArchitectureTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Module → what it may import, from the rows `| Name | A, B | … |` of the section "Modules".
    private static func table() throws -> [String: Set<String>] {
        let page = try String(contentsOf: root.appending(path: "docs/internals/architecture.md"), encoding: .utf8)
        let section = try #require(page.components(separatedBy: "## Modules").dropFirst().first)
            .components(separatedBy: "\n## ")[0]
        var table: [String: Set<String>] = [:]
        for line in section.split(separator: "\n") where line.hasPrefix("| ") && !line.hasPrefix("| module ") {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            let names = cells[2].split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            table[cells[1]] = Set(names)
        }
        return table
    }

    private static func modules() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "Sources").path).sorted()
    }

    private static func sources(of module: String) throws -> [(path: String, text: String)] {
        let folder = root.appending(path: "Sources/\(module)")
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        return try files.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }.map {
            ($0.path, try String(contentsOf: $0, encoding: .utf8))
        }
    }

    @Test func everyModuleStandsOnThePage() throws {
        #expect(try Set(Self.modules()) == Set(Self.table().keys))
    }

    @Test func thePageHasNoCycle() throws {
        let table = try Self.table()
        for module in table.keys {
            var reached: Set<String> = []
            var open = Array(table[module] ?? [])
            while let next = open.popLast() {
                if reached.insert(next).inserted { open += table[next] ?? [] }
            }
            #expect(!reached.contains(module), "\(module) reaches itself")
        }
    }

    @Test func everyImportIsAllowed() throws {
        let table = try Self.table()
        var seen = 0
        for module in try Self.modules() {
            for file in try Self.sources(of: module) {
                for line in file.text.split(separator: "\n") where line.hasPrefix("import ") {
                    let imported = String(line.dropFirst("import ".count))
                    guard table[imported] != nil else { continue }
                    seen += 1
                    #expect(table[module]?.contains(imported) == true, "\(file.path) imports \(imported)")
                }
            }
        }
        #expect(seen > 50)
    }

    @Test func everyTargetDependsOnlyOnWhatThePageAllows() throws {
        let table = try Self.table()
        let manifest = try String(contentsOf: Self.root.appending(path: "Package.swift"), encoding: .utf8)
        let names = Set(table.keys)
        var seen: Set<String> = []
        for block in manifest.components(separatedBy: "module(").dropFirst()
            + manifest.components(
                separatedBy: ".executableTarget("
            ).dropFirst()
        {
            // Up to the next target; the first quoted name is the target's own.
            let own = block.components(separatedBy: "tests(")[0].components(separatedBy: ".target(")[0]
            let quoted = own.components(separatedBy: ".executableTarget(")[0].split(
                separator: "\"", omittingEmptySubsequences: false
            ).enumerated()
                .filter { $0.offset % 2 == 1 }.map { String($0.element) }
            guard let target = quoted.first, names.contains(target) else { continue }
            seen.insert(target)
            let wrong = Set(quoted.dropFirst()).intersection(names).subtracting(table[target] ?? []).subtracting([
                target
            ])
            #expect(wrong.isEmpty, "\(target) depends on \(wrong.sorted())")
        }
        #expect(seen.union(["CPlatform", "CNghttp2"]) == names)
    }

    /// Files stay small enough to hold in mind, and a file is named after what is in it.
    @Test func noSourceFileIsOver400Lines() throws {
        for module in try Self.modules() {
            for file in try Self.sources(of: module) {
                let count = file.text.split(separator: "\n", omittingEmptySubsequences: false).count
                #expect(count <= 401, "\(file.path) has \(count) lines")
            }
        }
    }
}
