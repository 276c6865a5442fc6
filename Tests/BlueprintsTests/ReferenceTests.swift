import Foundation
import Testing

@testable import Blueprints

/// Holds the reference page against the code.
@Suite struct ReferenceTests {
    private let root: URL
    private let page: String
    private let sources: [String]

    init() throws {
        root = URL(filePath: #filePath).resolvingSymlinksInPath().appending(path: "../../..").standardizedFileURL
        page = try String(contentsOf: root.appending(path: "docs/reference/blueprint.md"), encoding: .utf8)
        let folder = root.appending(path: "Sources/Blueprints")
        let files = try #require(FileManager.default.enumerator(atPath: folder.path))
        sources = try files.compactMap { $0 as? String }.filter {
            $0.hasSuffix(".swift") && !$0.hasPrefix("Importing/") && !$0.hasPrefix("Discovering/")
        }.map {
            try String(contentsOf: folder.appending(path: $0), encoding: .utf8)
        }
    }

    @Test func theExampleIsAGoodBlueprint() throws {
        let parts = page.components(separatedBy: "```")
        let example = try #require(parts.first { $0.hasPrefix("yaml\n") })
        #expect(Run(String(example.dropFirst(5))).found == [])
    }

    @Test func theExampleShopIsGood() throws {
        let folder = root.appending(path: "examples/shop")
        func text(_ name: String) throws -> String {
            try String(contentsOf: folder.appending(path: name), encoding: .utf8)
        }
        let baseline = Run(try text("baseline.yaml"), mode: .baseline, folder: folder.path)
        #expect(baseline.diagnostics.map(\.rendered) == [])
        let overlay = Run(
            try text("overlay.yaml"), over: baseline.checked?.composed, mode: .overlay, folder: folder.path)
        #expect(overlay.diagnostics.map(\.rendered) == [])
    }

    @Test func everyFieldIsNamed() {
        let known = Grammar.root.keys + Grammar.service.keys + Grammar.routing.keys
        for field in known { #expect(page.contains("`\(field)`") || page.contains("\(field): true"), "\(field)") }
        let refused = page.components(separatedBy: "## Not supported yet").last ?? ""
        for field in Support.rootFields + Support.serviceFields { #expect(refused.contains("`\(field.name)`")) }
    }

    @Test func everyCodeIsNamed() throws {
        let code = try Regex(#""([a-z]+(?:_[a-z0-9]+)+)""#, as: (Substring, Substring).self)
        let codes = Set(sources.flatMap { $0.matches(of: code).map { String($0.output.1) } })
        #expect(codes.count > 40)
        for code in codes.subtracting(Fields.otherNames.keys) { #expect(page.contains("`\(code)`"), "\(code)") }
    }
}
