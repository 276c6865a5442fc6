import Foundation
import Testing

@testable import Blueprints

/// `autoShutdown…`, `schedule` and `ttl` of a Blueprint.
@Suite struct LifecycleFieldTests {
    /// The fields stand from line 2.
    private static func run(_ fields: String) -> Run { Run("name: x\n\(fields)\nservices: {a: {command: [a]}}") }

    private static func lifecycle(_ fields: String) throws -> LifecycleSpec {
        try #require(run(fields).spec?.lifecycle)
    }

    @Test(arguments: [
        ("autoShutdownEnabled: yes", ["wrong_type@2:22"]),
        ("autoShutdownDelayMinutes: 0", ["out_of_range@2:27"]),
        ("autoShutdownDelayMinutes: soon", ["wrong_type@2:27"]),
        ("schedule: nightly", ["wrong_type@2:11"]),
        ("schedule: {}", ["missing_field@2:11"]),
        ("schedule: {sleep: 0 25 * * *}", ["invalid_cron@2:19"]),
        ("schedule: {sleep: 0 0 30 2 *, wake: 5}", ["invalid_cron@2:19", "invalid_cron@2:37"]),
        ("schedule: {sleep: 0 20 * * *, timezone: Europe/Berln}", ["unknown_timezone@2:41"]),
        ("schedule: {sleep: '@daily', wake: 0 0 * * *}", ["schedule_conflict@2:35"]),
        ("schedule: {sleeps: 0 20 * * *}", ["missing_field@2:11", "unknown_key@2:12"]),
        ("ttl: soon", ["invalid_duration@2:6"]),
        ("ttl: 24", ["invalid_duration@2:6"]),
        ("ttl: 10ms", ["out_of_range@2:6"]),
        ("ttl: 5000d", ["out_of_range@2:6"]),
        ("ttl: {from: createdAt}", ["missing_field@2:6"]),
        ("ttl: {duration: P1M, from: now}", ["invalid_duration@2:17", "unknown_value@2:28"]),
    ])
    func reports(fields: String, expected: [String]) {
        let found = Self.run(fields)
        #expect(found.found == expected, "\(found.diagnostics.map(\.rendered))")
    }

    @Test(arguments: [
        ("0 25 * * *", "the hour `25` is not 0 to 23"),
        ("0 20 * *", "it has 4 fields, not 5"),
        ("0 20 * * mun", "the weekday `mun` is not 0 to 7, or sun to sat"),
        ("*/0 * * * *", "the minute's step `0` is no number from 1 to 59"),
        ("5-1 * * * *", "the minute's range `5-1` runs backwards"),
        ("1,,2 * * * *", "the minute has an empty part"),
        ("0 0 31 4,6 *", "it never comes"),
        ("@dayly", "did you mean `@daily`?"),
        ("@reboot", "`@reboot` is not known"),
    ])
    func saysWhyACronExpressionIsNone(text: String, why: String) throws {
        let found = Self.run("schedule: {sleep: '\(text)'}")
        let message = try #require(found.diagnostic("invalid_cron")).message
        #expect(message.contains("`schedule.sleep`"))
        #expect(message.contains(why), "\(message)")
    }

    @Test(arguments: [
        ("Europe/Berln", "did you mean `Europe/Berlin`?"), ("europe/berlin", "did you mean `Europe/Berlin`?"),
        ("Berlin", "did you mean `Europe/Berlin`?"), ("Amerca/New_York", "did you mean `America/New_York`?"),
        ("utc", "did you mean `UTC`?"), ("Middle-earth", "such as Europe/Berlin or UTC"),
    ])
    func suggestsATimeZone(name: String, hint: String) throws {
        let found = try #require(
            Self.run("schedule: {sleep: '@daily', timezone: \(name)}").diagnostic("unknown_timezone"))
        #expect(found.hint == hint)
    }

    @Test func defaultsAreFilledIn() throws {
        #expect(try Self.lifecycle("description: y") == LifecycleSpec(idleMilliseconds: 1_800_000))
        #expect(try Self.lifecycle("autoShutdownEnabled: false") == LifecycleSpec())
        #expect(
            try Self.lifecycle("autoShutdownEnabled: false\nautoShutdownDelayMinutes: 5") == LifecycleSpec())
        #expect(
            try Self.lifecycle("autoShutdownDelayMinutes: 0.02") == LifecycleSpec(idleMilliseconds: 1200))
    }

    @Test(arguments: [
        ("90m", 5_400_000), ("24h", 86_400_000), ("7d", 604_800_000), ("P7D", 604_800_000), ("1h30m", 5_400_000),
        ("PT90M", 5_400_000), ("P1W", 604_800_000), ("P1DT12H", 129_600_000), ("3s", 3000), ("1500ms", 1500),
        ("1.5h", 5_400_000),
    ])
    func ttlHasManyForms(text: String, milliseconds: Int64) throws {
        #expect(try Self.lifecycle("ttl: \(text)").ttl == TTLSpec(milliseconds: milliseconds))
        let long = try Self.lifecycle("ttl: {duration: \(text), from: updatedAt}").ttl
        #expect(long == TTLSpec(milliseconds: milliseconds, from: .updatedAt))
    }

    @Test(arguments: ["", "10", "s", "1x", "1h 30m", "-1s", "1..2s", "P", "PT", "P1Y", "P1M", "PT1D", "P1DT", "P1H"])
    func otherTextIsNoLengthOfTime(text: String) {
        #expect(LengthOfTime.milliseconds(text) == nil)
    }

    @Test(arguments: [
        (1_800_000, "30 min"), (5_400_000, "1 h 30 min"), (604_800_000, "7 d"), (1500, "1.5 s"), (3000, "3 s"),
        (250, "250 ms"), (90_061_000, "1 d 1 h"),
    ])
    func lengthsOfTimeAreShort(milliseconds: Int64, text: String) {
        #expect(LengthOfTime.shown(milliseconds) == text)
    }

    @Test func scheduleIsKept() throws {
        let found = try #require(
            try Self.lifecycle("schedule: {sleep: 0  20 * * MON-FRI, wake: 30 7 * * 1-5, timezone: Europe/Berlin}")
                .schedule)
        #expect(found.sleep?.text == "0 20 * * mon-fri")
        #expect(found.timezone == "Europe/Berlin")
        let wake = try CronExpression(parsing: "30 7 * * mon,tue,wed,thu,fri")
        #expect(found.wake == wake)
        let bare = try #require(try Self.lifecycle("schedule: {wake: '@daily'}").schedule)
        #expect(bare.sleep == nil)
        #expect(bare.timezone == "UTC")
    }

    @Test func specsSurviveStoring() throws {
        let yaml =
            "name: x\nttl: P7D\nschedule: {sleep: '@daily', timezone: Asia/Kolkata}\nservices: {a: {command: [a]}}"
        let spec = try #require(Run(yaml).spec)
        let again = try JSONDecoder().decode(BlueprintSpec.self, from: try JSONEncoder().encode(spec))
        #expect(again == spec)
        // A spec that was accepted before there were such fields runs until somebody says otherwise.
        var old = spec
        old.lifecycle = LifecycleSpec()
        let text = String(decoding: try JSONEncoder().encode(old), as: UTF8.self)
        #expect(!text.contains("times"))
        let decoded = try JSONDecoder().decode(BlueprintSpec.self, from: Data(text.utf8))
        #expect(decoded.lifecycle == LifecycleSpec())
    }
}
