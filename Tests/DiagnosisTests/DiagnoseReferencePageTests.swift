import Foundation
import Testing

@testable import Diagnosis

/// docs/reference/diagnose.md lists the rules that there are. `MICROSTAX_UPDATE_REFERENCE=1 swift test --filter
/// ReferencePageTests` writes the table anew.
@Suite struct DiagnoseReferencePageTests {
    private static let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "docs/reference/diagnose.md")

    private static var table: String {
        let rows = Diagnosis.rules.map { rule in
            "| `\(rule.code)` | \(rule.severity) | \(rule.summary) | \(rule.shownBy.replacing("|", with: "\\|")) |"
        }
        return (["| code | severity | means | shown by |", "|---|---|---|---|"] + rows).joined(separator: "\n")
    }

    @Test func everyCodeIsThereOnce() {
        let codes = Diagnosis.rules.map(\.code)
        #expect(Set(codes).count == codes.count)
        #expect(codes.count >= 60)
    }

    @Test func theTableIsThatOfTheRules() throws {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let begin = try #require(text.range(of: "<!-- rules: begin -->\n"))
        let end = try #require(text.range(of: "<!-- rules: end -->"))
        let expected = text[..<begin.upperBound] + Self.table + "\n" + text[end.lowerBound...]
        if ProcessInfo.processInfo.environment["MICROSTAX_UPDATE_REFERENCE"] == "1" {
            try String(expected).write(to: Self.page, atomically: true, encoding: .utf8)
        } else {
            #expect(text == expected, "stale: MICROSTAX_UPDATE_REFERENCE=1 swift test --filter ReferencePageTests")
        }
    }
}
