import API
import Testing

@testable import Commands

@Suite struct HistoryTests {
    private func event(_ kind: String, _ message: String, service: String? = nil, actor: String? = nil) -> HistoryView {
        HistoryView(
            sequence: 7, time: "2026-11-20T19:24:05.123Z", environment: "env-abcdefghij", name: "shop", kind: kind,
            service: service, actor: actor, message: message)
    }

    @Test func anEventIsALine() throws {
        let writer = HistoryWriter(palette: .plain)
        #expect(
            writer.text(event("state", "running → stopped: idle for 30 min", actor: "microstax"))
                == "2026-11-20 19:24:05Z  state      microstax  running → stopped: idle for 30 min\n")
        #expect(
            writer.text(event("deviationFound", "it ended\nand more", service: "api"))
                == "2026-11-20 19:24:05Z  deviation  -          api: it ended\n")
        let json = try writer.written(event("warning", "soon"), .json)
        #expect(json.hasSuffix("\n"))
        #expect(json.contains(#""message":"soon""#))
    }

    @Test func aNearEndIsShown() {
        var environment = Samples.environment()
        let now = Samples.fiveSeconds
        environment.expiresAt = Timestamp.text(now + 3 * 3_600_000)
        #expect(EnvironmentTables.list([environment], now: now).contains("running (ends in 3h)"))
        #expect(EnvironmentTables.detail(environment, now: now).contains("(in 3h)"))
        environment.expiresAt = Timestamp.text(now + 30 * 86_400_000)
        #expect(!EnvironmentTables.list([environment], now: now).contains("ends"))
        environment.state = "stopped"
        environment.message = "idle for 30 min"
        #expect(
            EnvironmentTables.status(environment).contains(
                "stopped: idle for 30 min; start it with: microstax env resume shop"))
    }
}
