import EnvironmentGraph
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
}
