import Blueprints
import EnvironmentGraph
import Testing

@Suite struct LifecycleTests {
    static let minute: Int64 = 60_000
    static let hour: Int64 = 3_600_000
    static let day: Int64 = 86_400_000
    /// Friday, 20 November 2026, 12:00 UTC.
    static let noon: Int64 = 1_795_176_000_000

    static func record(
        _ lifecycle: LifecycleSpec, state: EnvironmentState = .running, createdAt: Int64 = noon
    ) throws -> EnvironmentRecord {
        var spec = Samples.shop
        spec.lifecycle = lifecycle
        var record = EnvironmentRecord(
            id: EnvironmentID(rawValue: "env-shop"), name: "shop", mode: .baseline, spec: spec,
            difference: .between(request: spec, parent: nil), createdAt: createdAt)
        record.renewExpiry(now: createdAt, isNew: true)
        let path: [EnvironmentState] =
            switch state {
            case .stopped: [.provisioning, .running, .stopping, .stopped]
            case .running: [.provisioning, .running]
            default: [.provisioning, .running, state]
            }
        for state in path { try record.move(to: state) }
        return record
    }

    static func facts(
        _ record: EnvironmentRecord, use: LifecycleFacts.Use = .known(last: nil, held: nil), knownSince: Int64 = noon
    ) -> LifecycleFacts {
        LifecycleFacts(record: record, use: use, knownSince: knownSince)
    }

    private func decide(_ facts: LifecycleFacts, _ now: Int64) -> LifecycleDecision { .of(facts, now: now) }

    // MARK: Idle

    static let idle = LifecycleSpec(idleMilliseconds: 30 * minute)

    @Test func idleCountsFromTheLatestOfWhatIsKnown() throws {
        let record = try Self.record(Self.idle)
        var facts = Self.facts(record)
        let atNoon = decide(facts, Self.noon + 30 * Self.minute - 1)
        #expect(atNoon.action == nil)
        #expect(atNoon.lookAgainAt == Self.noon + 30 * Self.minute)
        let after = decide(facts, Self.noon + 30 * Self.minute)
        #expect(after.action?.action == .stop)
        #expect(after.action?.why == "idle for 30 min")

        for change in [
            { $0.use = .known(last: Self.noon + 10 * Self.minute, held: nil) },
            { $0.knownSince = Self.noon + 10 * Self.minute },
            { $0.lastExecutionEndedAt = Self.noon + 10 * Self.minute },
            { $0.clockJumpedAt = Self.noon + 10 * Self.minute },
        ] as [(inout LifecycleFacts) -> Void] {
            facts = Self.facts(record)
            change(&facts)
            let before = decide(facts, Self.noon + 40 * Self.minute - 1)
            let then = decide(facts, Self.noon + 40 * Self.minute)
            #expect(before.action == nil)
            #expect(then.action?.action == .stop)
        }
    }

    @Test func whatIsInUseIsNotIdle() throws {
        let record = try Self.record(Self.idle)
        let late = Self.noon + Self.day
        let held = decide(Self.facts(record, use: .known(last: nil, held: "2 open connections")), late)
        #expect(held.action == nil)
        #expect(held.findings.map(\.why) == ["in use: 2 open connections"])
        #expect(held.lookAgainAt == late + Self.minute)

        var facts = Self.facts(record)
        facts.overlays = [.init(name: "feat", isAwake: true), .init(name: "other", isAwake: false)]
        let parent = decide(facts, late)
        #expect(parent.action == nil)
        #expect(parent.findings.map(\.why) == ["overlays on it are awake: feat"])
        facts.overlays = [.init(name: "other", isAwake: false)]
        #expect(decide(facts, late).action?.action == .stop)
        facts.isExecuting = true
        #expect(decide(facts, late).action == nil)
    }

    @Test func notKnowingIsNoIdlenessAndIsSaid() throws {
        let facts = Self.facts(try Self.record(Self.idle), use: .unknown("the gateway does not answer"))
        let early = decide(facts, Self.noon + Self.minute)
        #expect(early.heldBack == [])
        let late = decide(facts, Self.noon + Self.day)
        #expect(late.action == nil)
        #expect(
            late.heldBack.map(\.why) == [
                "whether it is used is not known (the gateway does not answer): it is not stopped for being idle"
            ])
    }

    @Test(arguments: [EnvironmentState.stopped, .error, .updating, .stopping, .deleting])
    func onlyWhatRunsCanBeIdle(state: EnvironmentState) throws {
        let decision = decide(Self.facts(try Self.record(Self.idle, state: state)), Self.noon + Self.day)
        #expect(decision.action == nil)
    }

    // MARK: ttl

    static func ttl(_ milliseconds: Int64) -> LifecycleSpec {
        LifecycleSpec(ttl: TTLSpec(milliseconds: milliseconds))
    }

    @Test(arguments: [
        (24 * hour, hour * 24 / 10), (30 * day, day), (20 * minute, 5 * minute), (3000, 3000), (5 * minute, 5 * minute),
    ])
    func noticeIsATenthWithinLimits(ttl: Int64, notice: Int64) throws {
        #expect(try Self.record(Self.ttl(ttl)).expiryNotice == notice)
    }

    @Test func warnsOnceThenDeletes() throws {
        var record = try Self.record(Self.ttl(10 * Self.hour))
        let end = Self.noon + 10 * Self.hour
        let far = decide(Self.facts(record), end - Self.hour - 1)
        #expect(far.action == nil)
        #expect(far.lookAgainAt == end - Self.hour)
        let near = decide(Self.facts(record), end - Self.hour)
        #expect(near.action?.action == .warn)
        #expect(near.action?.why == "it will be deleted in 1 h")
        record.noteExpiryWarning(at: end - Self.hour)
        let warned = decide(Self.facts(record), end - 1)
        #expect(warned.action == nil)
        #expect(warned.lookAgainAt == end)
        let over = decide(Self.facts(record), end)
        #expect(over.action?.action == .delete)
        #expect(over.action?.why == "ttl of 10 h ended")
    }

    @Test func aMissedWarningPutsTheDeletionOff() throws {
        var record = try Self.record(Self.ttl(10 * Self.hour))
        let late = Self.noon + 40 * Self.day
        let missed = decide(Self.facts(record), late)
        #expect(missed.action?.action == .warn)
        #expect(missed.action?.why == "it will be deleted in 1 h")
        record.noteExpiryWarning(at: late)
        #expect(decide(Self.facts(record), late + Self.hour - 1).action == nil)
        #expect(decide(Self.facts(record), late + Self.hour).action?.action == .delete)
    }

    @Test func aWarningFromBeforeAJumpOfTheClockIsGivenAgain() throws {
        var record = try Self.record(Self.ttl(10 * Self.hour))
        record.noteExpiryWarning(at: Self.noon + 9 * Self.hour)
        var facts = Self.facts(record)
        facts.clockJumpedAt = Self.noon + 50 * Self.day
        #expect(decide(facts, Self.noon + 50 * Self.day).action?.action == .warn)
        facts.record.noteExpiryWarning(at: Self.noon + 50 * Self.day)
        let next = decide(facts, Self.noon + 50 * Self.day + 1)
        #expect(next.action == nil)
        #expect(next.lookAgainAt == Self.noon + 50 * Self.day + Self.hour)
    }

    @Test func protectedAndStoodOnAreNotDeleted() throws {
        var record = try Self.record(Self.ttl(10 * Self.hour))
        record.noteExpiryWarning(at: Self.noon + 9 * Self.hour)
        let over = Self.noon + 11 * Self.hour
        var facts = Self.facts(record)
        facts.overlays = [.init(name: "feat", isAwake: false)]
        let stoodOn = decide(facts, over)
        #expect(stoodOn.action == nil)
        #expect(stoodOn.heldBack.first?.why.contains("overlays stand on it (feat)") == true)

        facts = Self.facts(record)
        facts.record.isProtected = true
        let protected = decide(facts, over)
        #expect(protected.action == nil)
        #expect(protected.heldBack.map(\.why) == ["its time is over, but it is protected: it is not deleted"])
        facts.record.isProtected = false
        #expect(decide(facts, over).action?.action == .delete)
    }

    @Test func extendingStartsAnew() throws {
        var record = try Self.record(Self.ttl(10 * Self.hour))
        record.noteExpiryWarning(at: Self.noon + 9 * Self.hour)
        let now = Self.noon + 10 * Self.hour
        record.expire(at: now + 2 * Self.hour, setAt: now)
        let extended = decide(Self.facts(record), now)
        #expect(extended.action == nil)
        #expect(extended.lookAgainAt == now + 2 * Self.hour - 12 * Self.minute)
        record.expire(at: nil, setAt: now)
        #expect(decide(Self.facts(record), now + 99 * Self.day).findings == [])
    }

    @Test func ttlFromTheLastChangeIsRenewed() throws {
        let fromUpdate = LifecycleSpec(ttl: TTLSpec(milliseconds: Self.hour, from: .updatedAt))
        var record = try Self.record(fromUpdate)
        record.renewExpiry(now: Self.noon + 50 * Self.minute)
        #expect(record.expiresAt == Self.noon + 110 * Self.minute)
        var other = try Self.record(Self.ttl(Self.hour))
        other.renewExpiry(now: Self.noon + 50 * Self.minute)
        #expect(other.expiresAt == Self.noon + Self.hour)
    }

    @Test func aStoppedOrFailedEnvironmentEndsToo() throws {
        for state in [EnvironmentState.stopped, .error] {
            var record = try Self.record(Self.ttl(Self.hour), state: state)
            record.noteExpiryWarning(at: Self.noon)
            #expect(decide(Self.facts(record), Self.noon + Self.hour).action?.action == .delete)
        }
    }

    // MARK: schedule

    static func schedule() throws -> LifecycleSpec {
        LifecycleSpec(
            schedule: ScheduleSpec(
                sleep: try CronExpression(parsing: "0 20 * * *"), wake: try CronExpression(parsing: "0 7 * * *")))
    }

    @Test func theLatestTurnCounts() throws {
        let running = try Self.record(Self.schedule())
        let evening = Self.noon + 8 * Self.hour
        let before = decide(Self.facts(running), evening - 1)
        #expect(before.action == nil)
        #expect(before.lookAgainAt == evening)
        let sleep = decide(Self.facts(running), evening)
        #expect(sleep.action?.action == .stop)
        #expect(sleep.action?.why == "schedule")
        // Missed by a server that did not run; then missed for so long that the next turn came.
        #expect(decide(Self.facts(running), evening + 3 * Self.hour).action?.action == .stop)
        #expect(decide(Self.facts(running), evening + 12 * Self.hour).action == nil)

        let stopped = try Self.record(Self.schedule(), state: .stopped)
        #expect(decide(Self.facts(stopped), evening + Self.hour).action == nil)
        #expect(decide(Self.facts(stopped), evening + 11 * Self.hour).action?.action == .resume)
    }

    @Test func aLaterCommandOfAPersonStands() throws {
        let evening = Self.noon + 8 * Self.hour
        var facts = Self.facts(try Self.record(Self.schedule()))
        facts.lastCommandAt = evening + Self.minute
        let decision = decide(facts, evening + Self.hour)
        #expect(decision.action == nil)
        #expect(decision.lookAgainAt == evening + 11 * Self.hour)
        facts.lastCommandAt = evening - Self.minute
        #expect(decide(facts, evening + Self.hour).action?.action == .stop)
        facts.isExecuting = true
        #expect(decide(facts, evening + Self.hour).action == nil)
    }

    @Test func lineagesWaitForEachOther() throws {
        let evening = Self.noon + 8 * Self.hour
        var facts = Self.facts(try Self.record(Self.schedule()))
        facts.overlays = [.init(name: "feat", isAwake: true)]
        let parent = decide(facts, evening)
        #expect(parent.action == nil)
        #expect(parent.heldBack.first?.why.contains("overlays on it are awake (feat)") == true)

        facts = Self.facts(try Self.record(Self.schedule(), state: .stopped))
        facts.parent = .init(name: "shop", isAwake: false)
        let overlay = decide(facts, evening + 11 * Self.hour)
        #expect(overlay.action == nil)
        #expect(overlay.heldBack.first?.why.contains("shop, which it stands on, is stopped") == true)
    }

    // MARK: Laws

    /// Whatever the clock does, nothing is deleted before its end, nor without a warning that came at least the notice
    /// before, measured by the time that passed; and looking when one is told to look misses nothing.
    @Test(arguments: 0..<200) func nothingIsDeletedUnwarned(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let length = Int64.random(in: 1000...(40 * Self.day), using: &random)
        var record = try Self.record(Self.ttl(length))
        let notice = try #require(record.expiryNotice)
        let end = try #require(record.expiresAt)
        var (wall, steady, jumpedAt) = (Self.noon, Int64(0), Int64?.none)
        var warnedSteady: Int64?
        for _ in 0..<200 {
            var facts = Self.facts(record, knownSince: wall)
            facts.clockJumpedAt = jumpedAt
            let decision = decide(facts, wall)
            switch decision.action?.action {
            case .warn:
                record.noteExpiryWarning(at: wall)
                warnedSteady = steady
            case .delete:
                #expect(wall >= end)
                let warned = try #require(warnedSteady)
                #expect(steady - warned >= notice)
                return
            default: break
            }
            let pause = decision.lookAgainAt.map { max(1, $0 - wall) } ?? 1000
            let passed = Bool.random(using: &random) ? pause : Int64.random(in: 1...max(2, pause), using: &random)
            wall += passed
            steady += passed
            if Int.random(in: 0..<20, using: &random) == 0 {
                wall += Int64.random(in: 60_001...(60 * Self.day), using: &random)
                jumpedAt = wall
            }
        }
        // With so many looks it came to its end.
        Issue.record("it was never deleted")
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
