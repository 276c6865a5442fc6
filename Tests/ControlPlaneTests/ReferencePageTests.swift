import API
import Foundation
import TestSupport
import Testing

/// docs/reference/api.md says what the catalogue says. `MICROSTAX_UPDATE_REFERENCE=1 swift test --filter ReferencePageTests`
/// writes the tables anew.
@Suite struct ReferencePageTests {
    private static let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "docs/reference/api.md")

    private static var operations: String {
        let rows = API.Operation.allCases.map { "| `\($0.method) \($0.path)` | \($0.summary) |" }
        return (["| | |", "|---|---|"] + rows).joined(separator: "\n")
    }

    private static var errors: String {
        let rows = ErrorCode.allCases.sorted { $0.status < $1.status }.map { "| `\($0.rawValue)` | \($0.status) |" }
        return (["| code | status |", "|---|---|"] + rows).joined(separator: "\n")
    }

    private static func filled(_ text: String, _ name: String, _ table: String) throws -> String {
        let begin = try #require(text.range(of: "<!-- \(name): begin -->\n"))
        let end = try #require(text.range(of: "<!-- \(name): end -->"))
        return text[..<begin.upperBound] + table + "\n" + text[end.lowerBound...]
    }

    @Test func theTablesAreThoseOfTheCatalogue() throws {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let expected = try Self.filled(Self.filled(text, "operations", Self.operations), "errors", Self.errors)
        if ProcessInfo.processInfo.environment["MICROSTAX_UPDATE_REFERENCE"] == "1" {
            try expected.write(to: Self.page, atomically: true, encoding: .utf8)
        } else {
            #expect(text == expected, "stale: MICROSTAX_UPDATE_REFERENCE=1 swift test --filter ReferencePageTests")
        }
    }
}
