import Testing

@testable import Commands

@Suite struct TimeTests {
    @Test(arguments: [
        ("500ms", 500), ("90s", 90_000), ("5m", 300_000), ("1h30m", 5_400_000), ("2d", 172_800_000), ("7", 7000),
        ("0", 0),
    ])
    func lengthsOfTimeAreRead(text: String, milliseconds: Int64) {
        #expect(TimeLimit(argument: text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        "", "s", "-1s", "1.5s", "5 m", "5y", "400d", "99999999999999999999s", "9223372036854775807d", "1٣s",
    ])
    func otherTextIsRefused(text: String) {
        #expect(TimeLimit(argument: text) == nil)
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2026-11-20T19:00:05.000Z", Samples.fiveSeconds),
        ("2024-02-29T12:00:00.5Z", 1_709_208_000_500),
    ])
    func timestampsAreRead(text: String, milliseconds: Int64) {
        #expect(Timestamp.milliseconds(text) == milliseconds)
    }

    @Test(arguments: [
        "", "now", "2026-11-20", "2026-13-20T19:00:05Z", "2026-11-20T19:00:05+01:00", "2026-11-20T19:00:05xZ",
    ])
    func whatIsNoTimestampIsNone(text: String) {
        #expect(Timestamp.milliseconds(text) == nil)
    }

    @Test func writingAndReadingATimeGiveTheSame() {
        for time: Int64 in [0, 999, 951_782_400_000, Samples.fiveSeconds + 7, 4_102_444_799_999] {
            #expect(Timestamp.milliseconds(Timestamp.text(time)) == time)
        }
    }

    @Test func agesAndElapsedTimesAreShort() {
        let then = "2026-11-20T19:00:05Z"
        #expect(Timestamp.age(then, now: Samples.fiveSeconds + 42_000) == "42s")
        #expect(Timestamp.age(then, now: Samples.fiveSeconds + 42 * 60_000) == "42m")
        #expect(Timestamp.age(then, now: Samples.fiveSeconds + 42 * 86_400_000) == "42d")
        #expect(Timestamp.age(then, now: 0) == "0s")
        #expect(Timestamp.elapsed(1234) == "1.2s")
        #expect(Timestamp.elapsed(125_000) == "2m05s")
    }
}
