import API
import Glibc
import Testing

@testable import Commands

@Suite struct ProgressTests {
    private let steps = [
        Samples.step("ports", "succeeded", from: "00", to: "01"),
        Samples.step("service/orders/start", "succeeded", from: "01", to: "02"),
        Samples.step("service/orders/ready", "succeeded", from: "02", to: "03"),
        Samples.step("service/payments/start", "succeeded", from: "03", to: "04"),
        Samples.step("service/payments/ready", "running", from: "04", message: "GET /ready: 503 Service Unavailable"),
        Samples.step("service/web/start", "pending"),
    ]

    private func lines(_ event: EventView, width: Int = 80, height: Int = 24) -> [String] {
        var tree = ProgressTree()
        tree.apply(event)
        return tree.lines(now: Samples.fiveSeconds, frame: 0, width: width, height: height)
    }

    @Test func whatRunsIsOpenAndTheRestTakesALine() {
        #expect(
            lines(Samples.event("running", steps)) == [
                "shop  provisioning  5.0s",
                "✓ does ports  1.0s",
                "✓ orders  2.0s",
                "⠋ payments",
                "  ✓ start  1.0s",
                "  ⠋ ready  1.0s  GET /ready: 503 Service Unavailable",
                "· web",
            ])
    }

    @Test func theFinalTreeIsOpenEverywhere() {
        let event = Samples.event("succeeded", Array(steps.prefix(4)))
        #expect(
            lines(event, height: 3) == [
                "shop  running  4.0s",
                "✓ does ports  1.0s",
                "✓ orders",
                "  ✓ start  1.0s",
                "  ✓ ready  1.0s",
                "✓ payments",
                "  ✓ start  1.0s",
            ])
    }

    @Test func aFailureShowsItsFirstLine() {
        let failed = Samples.step("service/web/start", "failed", from: "02", to: "04", error: "exit 1\nlast words")
        #expect(
            lines(Samples.event("failed", [failed])) == [
                "shop  provisioning  2.0s", "✗ web", "  ✗ start  2.0s  exit 1",
            ])
    }

    @Test(arguments: [8, 12, 20, 40, 79, 200])
    func noLineIsWiderThanTheTerminal(width: Int) {
        let wide = Samples.step(
            "service/日本語サービス/ready", "running", from: "04", message: String(repeating: "待", count: 90))
        for line in lines(Samples.event("running", steps + [wide]), width: width) {
            #expect(DisplayWidth.of(line) <= width, "\(line)")
        }
    }

    @Test(arguments: [2, 3, 5, 8, 24])
    func theLivePictureFitsTheHeight(height: Int) {
        let many = (0..<40).map { Samples.step("service/s\($0)/start", $0 < 10 ? "running" : "pending", from: "01") }
        let drawn = lines(Samples.event("running", many), height: height)
        #expect(drawn.count <= height)
        #expect(drawn.last?.contains("30 waiting") == true)
    }

    @Test func beforeTheFirstEventThereIsNothing() {
        #expect(ProgressTree().lines(now: 0, frame: 0, width: 80, height: 24).isEmpty)
    }

    @Test func plainLinesNameWhatEnded() {
        var plain = ProgressLines()
        #expect(
            plain.apply(Samples.event("running", steps), elapsed: 1234) == [
                "[ 1.2s] ports  succeeded", "[ 1.2s] service/orders/start  succeeded",
                "[ 1.2s] service/orders/ready  succeeded", "[ 1.2s] service/payments/start  succeeded",
            ])
        #expect(plain.apply(Samples.event("running", steps), elapsed: 1300).isEmpty)
        #expect(plain.tick(elapsed: 9000).isEmpty)
        #expect(
            plain.tick(elapsed: 11_300) == [
                "[11.3s] service/payments/ready  running: GET /ready: 503 Service Unavailable"
            ])
        #expect(plain.tick(elapsed: 11_400).isEmpty)
        let failed = Samples.step("service/payments/ready", "failed", from: "04", to: "05", error: "gave up\nlog")
        #expect(
            plain.apply(Samples.event("failed", [failed]), elapsed: 12_000) == [
                "[12.0s] service/payments/ready  failed: gave up"
            ])
    }

    @Test func goalsAreDecidedFromEvents() {
        let goal = WatchGoal.execution("exe-1")
        #expect(goal.verdict(on: Samples.event("running", [])) == .waiting)
        #expect(goal.verdict(on: Samples.event("succeeded", [])) == .reached)
        #expect(goal.verdict(on: Samples.event("failed", [])) == .failed)
        #expect(goal.verdict(on: Samples.event("running", id: "exe-2", [])) == .failed)

        let gone = EventView(environment: Samples.environment(state: "deleted"), execution: nil)
        #expect(goal.verdict(on: gone) == .failed)
        #expect(WatchGoal.deletion("exe-9").verdict(on: gone) == .reached)
        #expect(
            WatchGoal.deletion("exe-9").verdict(on: Samples.event("failed", kind: "delete", id: "exe-9", [])) == .failed
        )
        #expect(WatchGoal.deleted.verdict(on: gone) == .reached)
        #expect(WatchGoal.deleted.verdict(on: Samples.event("running", [])) == .waiting)
        #expect(WatchGoal.running.verdict(on: gone) == .failed)
        #expect(WatchGoal.running.verdict(on: Samples.event("succeeded", [])) == .reached)
        let broken = Samples.event("failed", environment: Samples.environment(state: "error"), [])
        #expect(WatchGoal.running.verdict(on: broken) == .failed)
        let degraded = Samples.event("succeeded", environment: Samples.environment(state: "degraded"), [])
        #expect(WatchGoal.running.verdict(on: degraded) == .waiting)
    }

    @Test func aSignalIsSeenAndEndsNothing() throws {
        // SIGURG is ignored where nobody handles it, so this test disturbs no other.
        let interrupts = Interrupts([SIGURG])
        #expect(!Interrupts.haveCome([SIGURG]))
        kill(getpid(), SIGURG)
        let deadline = ContinuousClock.now + .seconds(10)
        while !Interrupts.haveCome([SIGURG]), ContinuousClock.now < deadline { sched_yield() }
        #expect(Interrupts.haveCome([SIGURG]))
        #expect(!Interrupts.haveCome([SIGWINCH]))
        withExtendedLifetime(interrupts) {}
    }
}
