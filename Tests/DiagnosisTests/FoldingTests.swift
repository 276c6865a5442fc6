import Testing

@testable import Diagnosis

@Suite struct FoldingTests {
    @Test func consequencesStandUnderTheirCause() throws {
        let db = Recorded.ended("db", ["FATAL:  lock file \"postmaster.pid\" already exists"])
        let api = Recorded.ended("api", ["Error: connect ECONNREFUSED 127.0.0.1:9"], needs: ["db"])
        var web = Recorded.ended("web", [], needs: ["api"])
        web.state = .absent
        web.message = nil
        let alone = Recorded.ended("mail", ["KeyError: 'SMTP_HOST'"], needs: ["db"])
        let found = Recorded.findings(alone, api, web, db)
        #expect(found.map(\.code) == ["lock_file_left", "missing_variable"])
        #expect(found.first?.consequences.map(\.service) == ["api", "web"])
    }

    @Test func aCircleKeepsOneCause() {
        let a = Recorded.ended("a", code: 4, [], needs: ["b"])
        let b = Recorded.ended("b", code: 4, [], needs: ["a"])
        let found = Recorded.findings(a, b)
        #expect(found.count == 1)
        #expect(found.first?.consequences.count == 1)
    }

    @Test func theOrderOfServicesDoesNotMatter() {
        let services = [
            Recorded.ended("db", code: 137, []), Recorded.ended("api", code: 2, [], needs: ["db"]),
            Recorded.ended("web", code: 2, [], needs: ["api"]), Recorded.ready("cart", needs: ["db"]),
        ]
        let one = Diagnosis.findings(Recorded.facts(services))
        let other = Diagnosis.findings(Recorded.facts(services.reversed()))
        #expect(one == other)
        #expect(one.map(\.service) == ["db"])
    }
}
