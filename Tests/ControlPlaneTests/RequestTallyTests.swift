import EnvironmentGraph
import Gateway
import Testing

@testable import ControlPlane

struct RequestTallyTests {
    @Test func requestsAreCountedInTheirContextAndForWhoAnswered() {
        let (base, overlay) = (EnvironmentID(rawValue: "base"), EnvironmentID(rawValue: "overlay"))
        func call(
            _ caller: String, _ from: EnvironmentID, _ context: EnvironmentID?, _ provider: EnvironmentID?,
            _ count: UInt64, error: String? = nil
        ) -> CallCount {
            CallCount(
                caller: caller, callerEnvironment: from, service: "api", context: context, provider: provider,
                error: error, count: count)
        }
        let tally = RequestTally(
            CountSnapshot(
                calls: [
                    call("edge", base, nil, base, 5), call("web", base, nil, base, 2),
                    // The overlay's context on the baseline's address, answered by either.
                    call("edge", base, overlay, overlay, 3), call("edge", overlay, overlay, base, 4),
                    call("edge", overlay, overlay, nil, 1, error: "no_endpoint"),
                ], overflow: 0, disagreements: 0, startedAt: 77))
        #expect(tally.since == 77)
        #expect(tally.requests(to: "api", in: base).byProvider == [base: 7])
        #expect(tally.requests(to: "api", in: base).total == 7)
        let inOverlay = tally.requests(to: "api", in: overlay)
        #expect(inOverlay.byProvider == [overlay: 3, base: 4])
        #expect(inOverlay.errors == ["no_endpoint": 1])
        #expect(inOverlay.total == 8)
        #expect(tally.answered(by: "api", of: base) == 11)
        #expect(tally.answered(by: "api", of: overlay) == 3)
        #expect(tally.requests(to: "db", in: base).total == 0)
    }
}
