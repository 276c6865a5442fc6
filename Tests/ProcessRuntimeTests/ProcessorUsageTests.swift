import Testing

@testable import ProcessRuntime

struct ProcessorUsageTests {
    @Test func theTotalIsWhatLivesAndWhatEnded() {
        var usage = ProcessorUsage()
        usage.record(living: 1_000_000, at: 1000)
        #expect(usage.last?.used == 1_000_000)
        #expect(usage.rate == nil)
        usage.addEnded(microseconds: 1_500_000)
        usage.record(living: 500_000, at: 2000)
        #expect(usage.last?.used == 2_000_000)
        #expect(usage.rate?.percent == 100)
        #expect(usage.rate?.milliseconds == 1000)
    }

    @Test func aRateIsTakenOverHalfASecondToAMinute() {
        var usage = ProcessorUsage()
        usage.record(living: 0, at: 0)
        usage.record(living: 400_000, at: 400)
        #expect(usage.rate == nil)
        usage.record(living: 600_000, at: 600)
        #expect(usage.rate?.milliseconds == 600)
        // The newest look that is old enough.
        usage.record(living: 900_000, at: 1000)
        #expect(usage.rate?.milliseconds == 600)
        #expect(usage.rate?.percent ?? 0 > 83)
        usage.record(living: 900_000, at: 100_000)
        #expect(usage.rate == nil)
        usage.record(living: 1_200_000, at: 101_000)
        #expect(usage.rate?.percent == 30)
        for time in 1..<1000 { usage.record(living: 1_200_000, at: 101_000 + Int64(time)) }
        #expect(usage.samples.count <= 8)
    }

    /// A parent that ignores SIGCHLD takes its children's time with it; what comes afterwards counts again at once.
    @Test func theTotalNeverFalls() {
        var usage = ProcessorUsage()
        usage.record(living: 5_000_000, at: 1000)
        #expect(!usage.isPlausible(living: 1_000_000, at: 2000, processors: 2))
        usage.record(living: 1_000_000, at: 2000)
        #expect(usage.last?.used == 5_000_000)
        usage.record(living: 1_300_000, at: 3000)
        #expect(usage.last?.used == 5_300_000)
        // Within the steps of the kernel's clock nothing is taken for lost.
        usage.record(living: 1_290_000, at: 4000)
        usage.record(living: 1_400_000, at: 5000)
        #expect(usage.last?.used == 5_400_000)
    }

    @Test func moreThanTheMachineCanIsNotBelieved() {
        var usage = ProcessorUsage()
        #expect(usage.isPlausible(living: 1 << 50, at: 1000, processors: 2))
        usage.record(living: 1_000_000, at: 1000)
        #expect(usage.isPlausible(living: 3_000_000, at: 2000, processors: 2))
        #expect(!usage.isPlausible(living: 4_000_000, at: 2000, processors: 2))
    }
}
