import Blueprints
import EnvironmentGraph
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Orchestration

@Suite struct LifecycleKeeperTests {
    static let minute: Int64 = 60_000
    static let hour: Int64 = 3_600_000
    static let idle = LifecycleSpec(idleMilliseconds: 30 * minute)
    static func ttl(_ length: Int64) -> LifecycleSpec { LifecycleSpec(ttl: TTLSpec(milliseconds: length)) }

    @Test func stopsWhatIsIdleAndSaysWhy() async throws {
        try await LifecycleStage.with { stage in
            let shop = try await stage.add("shop", Self.idle)
            let keeper = stage.keeper()
            let due = await keeper.look(changed: [])
            #expect(due == stage.now + 30 * Self.minute)
            // A request keeps it up.
            stage.pass(20 * Self.minute)
            stage.gateway.set(ActivityReport(since: 0, uses: [shop.id: .init(lastAt: stage.now)]))
            stage.pass(10 * Self.minute)
            let later = await keeper.look(changed: [])
            #expect(later == stage.now + 20 * Self.minute)
            #expect(stage.acts.done == [])
            stage.pass(20 * Self.minute)
            _ = await keeper.look(changed: [])
            #expect(stage.acts.done == ["stop env-shop: idle for 30 min"])
            let next = await keeper.look(changed: [shop.id])
            #expect(next == nil)
            #expect(stage.acts.done.count == 1)
        }
    }

    @Test func anOpenConnectionHoldsUntilAfterItIsClosed() async throws {
        try await LifecycleStage.with { stage in
            let shop = try await stage.add("shop", Self.idle)
            let keeper = stage.keeper()
            stage.gateway.set(ActivityReport(since: 0, uses: [shop.id: .init(held: "1 open connection")]))
            stage.pass(10 * Self.hour)
            let soon = try #require(await keeper.look(changed: []))
            #expect(soon - stage.now == Self.minute)
            stage.gateway.set(ActivityReport(since: 0))
            stage.pass(Self.minute)
            let due = await keeper.look(changed: [])
            #expect(due == stage.now + 30 * Self.minute)
            #expect(stage.acts.done == [])
            stage.pass(30 * Self.minute)
            _ = await keeper.look(changed: [])
            #expect(stage.acts.done.count == 1)
        }
    }

    @Test func anOverlayThatIsAwakeKeepsItsParentUp() async throws {
        try await LifecycleStage.with { stage in
            let shop = try await stage.add("shop", Self.idle)
            let feat = try await stage.add("feat", LifecycleSpec(), on: shop)
            let keeper = stage.keeper()
            stage.pass(10 * Self.hour)
            let due = await keeper.look(changed: [])
            #expect(due == nil)
            #expect(stage.acts.done == [])
            try await stage.change(feat.id) {
                try $0.move(to: .stopping)
                try $0.move(to: .stopped)
            }
            let after = await keeper.look(changed: [feat.id])
            #expect(after == stage.now + 30 * Self.minute)
            stage.pass(30 * Self.minute)
            _ = await keeper.look(changed: [])
            #expect(stage.acts.done == ["stop env-shop: idle for 30 min"])
        }
    }

    @Test func aGatewayThatStartsAnewOrIsSilentMakesNothingIdle() async throws {
        try await LifecycleStage.with { stage in
            let shop = try await stage.add("shop", Self.idle)
            let keeper = stage.keeper()
            _ = await keeper.look(changed: [])
            stage.pass(29 * Self.minute)
            stage.gateway.set(ActivityReport(since: stage.now))
            stage.pass(Self.minute)
            let due = await keeper.look(changed: [])
            #expect(due == stage.now + 29 * Self.minute)

            stage.gateway.set(nil)
            stage.pass(Self.hour)
            for _ in 0..<3 {
                _ = await keeper.look(changed: [])
                stage.pass(Self.minute)
            }
            #expect(stage.acts.done == [])
            let events = try await stage.events(of: shop.id)
            #expect(
                events == [
                    "whether it is used is not known (the gateway does not answer): it is not stopped for being idle"
                ])
            // So does a server that starts anew.
            stage.gateway.set(ActivityReport(since: 0))
            let restarted = stage.keeper()
            _ = await restarted.look(changed: [])
            #expect(stage.acts.done == [])
        }
    }

    @Test func warnsOnceAlsoOverARestartThenDeletes() async throws {
        try await LifecycleStage.with { stage in
            let shop = try await stage.add("shop", Self.ttl(10 * Self.hour))
            let first = stage.keeper()
            let due = await first.look(changed: [])
            #expect(due == stage.now + 9 * Self.hour)
            stage.pass(9 * Self.hour)
            _ = await first.look(changed: [])
            let second = stage.keeper()
            let end = await second.look(changed: [])
            #expect(end == stage.now + Self.hour)
            let events = try await stage.events(of: shop.id)
            #expect(
                events == ["it will be deleted in 1 h; to keep it: microstax env extend shop --ttl 24h"])
            #expect(stage.acts.done == [])
            stage.pass(Self.hour)
            _ = await second.look(changed: [])
            #expect(stage.acts.done == ["delete env-shop: ttl of 10 h ended"])
            let after = await second.look(changed: [shop.id])
            #expect(after == nil)
        }
    }

    @Test func aClockThatIsSetForwardDeletesNothingAtOnce() async throws {
        try await LifecycleStage.with { stage in
            let shop = try await stage.add("shop", Self.ttl(10 * Self.hour))
            try await stage.add("cart", Self.idle)
            let keeper = stage.keeper()
            _ = await keeper.look(changed: [])
            stage.pass(9 * Self.hour)
            stage.gateway.set(
                ActivityReport(
                    since: 0,
                    uses: ["cart", "shop"].reduce(into: [:]) {
                        $0[EnvironmentID(rawValue: "env-" + $1)] = .init(lastAt: stage.now)
                    }))
            _ = await keeper.look(changed: [])
            stage.jump(365 * 24 * Self.hour)
            _ = await keeper.look(changed: [])
            #expect(stage.acts.done == [])
            stage.pass(10 * Self.minute)
            _ = await keeper.look(changed: [])
            #expect(stage.acts.done == [])
            let events = try await stage.events(of: shop.id)
            #expect(events.count == 2)
            stage.pass(50 * Self.minute)
            _ = await keeper.look(changed: [])
            #expect(Set(stage.acts.done) == ["delete env-shop: ttl of 10 h ended", "stop env-cart: idle for 30 min"])
        }
    }

    @Test func protectionIsSaidOnceAndHolds() async throws {
        try await LifecycleStage.with { stage in
            let shop = try await stage.add("shop", Self.ttl(10 * Self.hour))
            try await stage.change(shop.id) { $0.isProtected = true }
            for _ in 0..<2 {
                let keeper = stage.keeper()
                stage.pass(11 * Self.hour)
                _ = await keeper.look(changed: [])
                _ = await keeper.look(changed: [shop.id])
            }
            #expect(stage.acts.done == [])
            let events = try await stage.events(of: shop.id)
            #expect(events == ["its time is over, but it is protected: it is not deleted"])
        }
    }

    @Test func whoGivesItLongerInTheLastMomentKeepsIt() async throws {
        try await LifecycleStage.with { stage in
            let shop = try await stage.add("shop", Self.ttl(10 * Self.hour))
            let keeper = stage.keeper()
            stage.pass(10 * Self.hour)
            _ = await keeper.look(changed: [])
            stage.pass(Self.hour)
            let now = stage.now
            // The keeper has not heard of it yet.
            try await stage.change(shop.id) { $0.expire(at: now + Self.hour, setAt: now) }
            _ = await keeper.look(changed: [])
            #expect(stage.acts.done == [])
            let due = await keeper.look(changed: [shop.id])
            #expect(due == now + 54 * Self.minute)
        }
    }

    @Test func sleepsAndWakesByItsSchedule() async throws {
        try await LifecycleStage.with { stage in
            let schedule = ScheduleSpec(
                sleep: try CronExpression(parsing: "0 20 * * *"), wake: try CronExpression(parsing: "0 7 * * *"),
                timezone: "Europe/Berlin")
            let shop = try await stage.add("shop", LifecycleSpec(schedule: schedule))
            let keeper = stage.keeper()
            let evening = await keeper.look(changed: [])
            #expect(evening == LifecycleStage.noon + 7 * Self.hour)
            stage.pass(7 * Self.hour)
            _ = await keeper.look(changed: [])
            let morning = await keeper.look(changed: [shop.id])
            #expect(morning == LifecycleStage.noon + 18 * Self.hour)
            #expect(stage.acts.done == ["stop env-shop: schedule"])
            // A server that was away for the night.
            stage.pass(13 * Self.hour)
            let next = stage.keeper()
            _ = await next.look(changed: [])
            #expect(stage.acts.done == ["stop env-shop: schedule", "resume env-shop: schedule"])
        }
    }

    @Test func whatIsRefusedIsSaidOnceAndTriedAgain() async throws {
        try await LifecycleStage.with { stage in
            let shop = try await stage.add("shop", Self.idle)
            let keeper = stage.keeper()
            stage.acts.refuse("the disk is full")
            stage.pass(Self.hour)
            _ = await keeper.look(changed: [])
            stage.pass(30 * Self.minute)
            _ = await keeper.look(changed: [])
            let again = try #require(await keeper.look(changed: []))
            #expect(again > stage.now && again <= stage.now + 5 * Self.minute)
            let events = try await stage.events(of: shop.id)
            #expect(events == ["idle for 30 min: stop was refused: the disk is full"])
            stage.acts.refuse(nil)
            stage.pass(5 * Self.minute)
            _ = await keeper.look(changed: [])
            #expect(stage.acts.done.count == 1)
        }
    }

    /// One question to the gateway answers for all of them, and between two looks nobody asks anything.
    @Test func manyEnvironmentsAreLookedAtTogether() async throws {
        try await LifecycleStage.with { stage in
            try await stage.store.write { store in
                for number in 0..<1000 {
                    try store.save(
                        try LifecycleStage.record("n\(number)", Self.idle, now: LifecycleStage.noon + Int64(number)))
                }
            }
            let keeper = stage.keeper()
            let due = try #require(await keeper.look(changed: []))
            #expect(stage.gateway.asked == 1)
            stage.pass(due - stage.now)
            _ = await keeper.look(changed: [])
            #expect(stage.gateway.asked == 2)
            stage.pass(15_000)
            _ = await keeper.look(changed: [])
            #expect(stage.acts.done.count == 1000)
        }
    }

    /// The loop itself, on the real clock.
    @Test func isWokenByChangesAndByTime() async throws {
        try await LifecycleStage.with { stage in
            let keeper = stage.keeper()
            let running = Task { await keeper.run() }
            defer { running.cancel() }
            try await eventually("the first look") { await keeper.hasLooked ? true : nil }
            // Its end came before anybody heard of it, so it is warned of and deleted when the notice is over.
            try await stage.add("shop", Self.ttl(1000))
            try await eventually("the warning") {
                try await stage.events(of: EnvironmentID(rawValue: "env-shop")).isEmpty ? nil : true
            }
            stage.pass(1000)
            stage.board.ring(EnvironmentID(rawValue: "env-shop"))
            try await eventually("the deletion") { stage.acts.done.isEmpty ? nil : true }
        }
    }
}
