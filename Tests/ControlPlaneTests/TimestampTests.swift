import Testing

@testable import ControlPlane

@Suite struct TimestampTests {
    @Test func timesAreRFC3339InUTC() {
        #expect(timestamp(0) == "1970-01-01T00:00:00.000Z")
        #expect(timestamp(1_795_204_800_123) == "2026-11-20T20:00:00.123Z")
    }
}
