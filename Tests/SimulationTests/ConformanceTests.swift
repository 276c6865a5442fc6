import EnvironmentGraph
import RuntimeConformance
import Runtimes
import SimulatedRuntime
import SimulatedStore
import StoreConformance
import Testing

/// The simulated drivers keep the rules of their ports; else the simulation would prove nothing.
@Suite struct ConformanceTests {
    @Test(arguments: StoreConformance.cases.filter { !$0.name.hasPrefix("a read does not wait for a write") })
    func theStoreConforms(_ rule: StoreRule) async throws {
        // The rule left out blocks the thread that a transaction runs on, which here is the caller's.
        try await rule.check(MemoryStore())
    }

    /// What needs a real shell, real users' folders or real signals is not simulated.
    private static let needsProcesses = [
        "a volume outlives", "run works in", "a service that ignores", "a service gets its stop signal",
        "followed logs", "any bytes can be logged", "exec ", "what cannot be executed", "output that nobody takes",
        "a cancelled exec", "the run before", "what runs is measured",
    ]

    @Test(
        arguments: RuntimeConformance.cases.filter { rule in
            !needsProcesses.contains { rule.name.hasPrefix($0) }
        })
    func theRuntimeConforms(_ rule: RuntimeRule) async throws {
        let runtime = SimulatedRuntime(clock: MachineClock(), random: SeededRandom(seed: 1))
        try await rule.check(RuntimeStage(runtime: runtime, environment: EnvironmentID(rawValue: "env-1")))
    }

    @Test func mostRulesAreChecked() {
        #expect(RuntimeConformance.cases.count - Self.needsProcesses.count >= 15)
    }

    @Test func aDoubledCallIsOneEffectAndALostReplyIsAnError() async throws {
        let clock = SimulatedClock()
        var faults = SimulatedFaults.none
        faults.callDoubled = 1
        faults.replyLost = 1
        let runtime = SimulatedRuntime(clock: clock, random: SeededRandom(seed: 1), faults: faults)
        let link = SimulatedLink(runtime, life: SimulatedLife(clock: clock))
        let id = EnvironmentID(rawValue: "env-1")
        let workload = Workload(environment: id, service: "api", generation: 1, command: ["api"], workdir: "/")
        let call = Task { try await link.apply(workload) }
        let driving = Task {
            while !Task.isCancelled {
                _ = clock.advance()
                await Task.yield()
            }
        }
        let result = await call.result
        driving.cancel()
        #expect(throws: RuntimeError.self) { try result.get() }
        #expect(runtime.journal.count { $0.kind == .started(generation: 1) } == 1)
    }
}
