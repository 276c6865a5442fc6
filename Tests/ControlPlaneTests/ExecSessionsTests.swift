import EnvironmentGraph
import Orchestration
import Testing

@testable import ControlPlane

@Suite struct ExecSessionsTests {
    private let shop = EnvironmentID(rawValue: "env-shop")
    private let other = EnvironmentID(rawValue: "env-other")

    @Test func whatIsOpenAndWhatEndedIsKnown() {
        let sessions = ExecSessions()
        #expect(sessions.openCount(of: shop) == 0)
        #expect(sessions.lastEnded(of: shop) == nil)
        #expect(sessions.begin(in: shop) && sessions.begin(in: shop))
        #expect(sessions.openCount(of: shop) == 2)
        sessions.end(of: shop, at: 5)
        #expect(sessions.openCount(of: shop) == 1)
        sessions.end(of: shop, at: 7)
        #expect(sessions.openCount(of: shop) == 0)
        #expect(sessions.lastEnded(of: shop) == 7)
        #expect(sessions.lastEnded(of: other) == nil)
    }

    @Test func aSessionIsAUseOfItsEnvironment() {
        let sessions = ExecSessions()
        let before = ActivityReport(since: 1, uses: [shop: .init(lastAt: 9, held: "1 open connection")])
        #expect(sessions.joined(to: before) == before)
        _ = sessions.begin(in: shop)
        _ = sessions.begin(in: other)
        sessions.end(of: other, at: 5)
        let after = sessions.joined(to: before)
        #expect(after.uses[shop]?.held == "1 open connection, 1 command that somebody watches")
        #expect(after.uses[shop]?.lastAt == 9)
        #expect(after.uses[other] == .init(lastAt: 5))
    }

    @Test func oneEnvironmentCannotTakeAll() {
        let sessions = ExecSessions()
        for _ in 0..<ExecSessions.limit { #expect(sessions.begin(in: shop)) }
        #expect(!sessions.begin(in: shop))
        #expect(sessions.begin(in: other))
        sessions.end(of: shop, at: 1)
        #expect(sessions.begin(in: shop))
    }

    @Test func thereIsALimitForAll() {
        let sessions = ExecSessions()
        let admitted = (0..<ExecSessions.totalLimit + 1).map { number in
            sessions.begin(in: EnvironmentID(rawValue: "env-\(number)"))
        }
        #expect(admitted.count { $0 } == ExecSessions.totalLimit)
    }
}
