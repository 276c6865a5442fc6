import EnvironmentGraph
import Foundation
import Testing

@Suite struct EnvironmentStateTests {
    @Test func onlyPublishedTransitionsArePossible() throws {
        var record = Samples.baseline()
        #expect(throws: IllegalTransition(from: .pending, to: .running)) { try record.move(to: .running) }
        try record.move(to: .provisioning)
        try record.move(to: .running)
        try record.move(to: .degraded, message: "payments is down")
        #expect(record.message == "payments is down")
        try record.move(to: .deleting)
        #expect(throws: IllegalTransition.self) { try record.move(to: .running) }
        try record.move(to: .deleted)
    }

    @Test func everyStateButTheLastCanBeDeletedFrom() {
        for state in EnvironmentState.allCases where ![.deleting, .deleted].contains(state) {
            #expect(state.successors.contains(.deleting), "\(state)")
        }
        #expect(EnvironmentState.deleted.successors.isEmpty)
    }

    /// The tables that people read are the ones that the code goes by.
    @Test func thePageSaysWhatIsEnforced() throws {
        let page = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "../../docs/reference/environments.md").standardized
        let rows = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
            .filter { $0.hasPrefix("| `") }
            .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
        for state in EnvironmentState.allCases {
            let row = try #require(rows.first { $0.first == "`\(state.rawValue)`" }, "\(state)")
            let said = row.count > 2 ? row[2].components(separatedBy: ", ").filter { !$0.isEmpty } : []
            #expect(Set(said) == Set(state.successors.map(\.rawValue)), "\(state)")
        }
        for command in EnvironmentCommand.allCases where command != .delete {
            let row = try #require(rows.first { $0.first == "`env \(command.rawValue)`" }, "\(command)")
            let said = row[1].split(separator: ";")[0].components(separatedBy: ", ")
                .filter { EnvironmentState(rawValue: $0) != nil }
            #expect(Set(said) == Set(command.allowedStates.map(\.rawValue)), "\(command)")
        }
    }
}
