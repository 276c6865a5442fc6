import Runtimes
import RuntimeConformance
import Testing

struct ConformanceTests {
    @Test(.timeLimit(.minutes(2)), arguments: RuntimeConformance.cases)
    func conforms(_ rule: RuntimeRule) async throws {
        try await Stage.with { stage in
            try await rule.check(RuntimeStage(runtime: stage.runtime, environment: stage.environment))
        }
    }

    @Test func theSuiteIsThere() {
        #expect(RuntimeConformance.cases.count >= 20)
    }
}
