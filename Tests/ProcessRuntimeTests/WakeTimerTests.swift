import Testing

@testable import ProcessRuntime

/// However pauses and events meet, there is one tick for each deadline.
@Suite struct WakeTimerTests {
    @Test func aPauseThatWasOvertakenWakesNobody() {
        var timer = WakeTimer()
        let first = timer.set(100)
        // It has ended, and is on its way, while an event sets another one.
        let second = timer.set(90)
        #expect(first != nil && second != nil && first != second)
        let isLate = timer.fires(first ?? 0)
        #expect(!isLate)
        #expect(timer.deadline == 90)
        let isNow = timer.fires(second ?? 0)
        #expect(isNow)
        #expect(timer.deadline == nil)
    }

    @Test func onePauseWakesOnce() {
        var timer = WakeTimer()
        let number = timer.set(100) ?? 0
        let times = (0..<3).count { _ in timer.fires(number) }
        #expect(times == 1)
    }

    @Test func nothingToWaitForBeginsNoPause() {
        var timer = WakeTimer()
        let number = timer.set(100) ?? 0
        #expect(timer.set(nil) == nil)
        let fires = timer.fires(number)
        #expect(!fires)
    }

    /// A driver as the supervisor is one, with pauses that end in any order, also after they were cancelled: as many ticks
    /// as deadlines, and never more than one pause that counts.
    @Test(arguments: 0..<20) func ticksDoNotMultiply(seed: UInt64) {
        var random = SplitMix(state: seed)
        var timer = WakeTimer()
        var pauses: [Int] = []
        var (ticks, deadlines) = (0, 0)
        for round in 0..<1_000 {
            if Bool.random(using: &random), let number = timer.set(Int64(round)) {
                pauses.append(number)
                deadlines += 1
            }
            guard !pauses.isEmpty, Bool.random(using: &random) else { continue }
            let ended = pauses.remove(at: Int.random(in: 0..<pauses.count, using: &random))
            guard timer.fires(ended) else { continue }
            ticks += 1
            if let number = timer.set(Int64(round)) {
                pauses.append(number)
                deadlines += 1
            }
        }
        let counting = pauses.count { number in
            var copy = timer
            return copy.fires(number)
        }
        #expect(counting <= 1)
        #expect(ticks <= deadlines)
    }
}
