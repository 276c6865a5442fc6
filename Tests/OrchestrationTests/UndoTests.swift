import Blueprints
import EnvironmentGraph
import Orchestration
import Runtimes
import Storage
import TestSupport
import Testing

@Suite struct UndoTests {
    private func service(_ name: String, needs: [String] = []) -> ServiceSpec {
        ServiceSpec(
            name: name, command: ["run"], ports: [PortSpec(name: "http")],
            dependsOn: needs.map { DependencySpec(service: $0) })
    }

    /// What the control plane does when a person asks for it.
    private func acceptUndo(_ bench: Workbench, _ id: ExecutionID) async throws -> ExecutionRecord {
        try await bench.store.write { store in
            guard var execution = try store.execution(id), var record = try store.environment(execution.environment)
            else { throw NeverHappened(description: "nothing to undo") }
            execution.state = .compensating
            execution.finishedAt = nil
            _ = try store.claim(id)
            try store.accept(execution, of: &record, at: 9)
            return execution
        }
    }

    private func leftovers(_ bench: Workbench) async throws -> (environments: Int, ports: Int) {
        try await bench.store.read { (try $0.environments().count, try $0.portsInUse().count) }
    }

    @Test func aCreateThatHangsIsUndoneAndLeavesNothing() async throws {
        try await Workbench.with { bench in
            bench.runtime.script("api", .hangs)
            let create = try await bench.accept([service("web", needs: ["api"]), service("api"), service("cache")])
            await bench.orchestrator.submit(create)
            try await eventually("the start of api and cache") { bench.runtime.applied.count == 2 ? true : nil }
            await bench.orchestrator.submit(try await acceptUndo(bench, create.id))
            let ended = try await bench.ended(create.id)
            #expect(ended.state == .undone)
            let states = Dictionary(uniqueKeysWithValues: ended.steps.map { ($0.plan.key, $0.state) })
            #expect(states["service/api/start"] == .undone)
            #expect(states["service/web/start"] == .skipped)
            #expect(states["ports"] == .undone)
            #expect(Set(bench.runtime.stopped) == ["api", "cache"])
            #expect(bench.runtime.deleted == [create.environment])
            let left = try await leftovers(bench)
            #expect(left.environments == 0)
            #expect(left.ports == 0)
        }
    }

    @Test func aCreateThatFailedIsUndoneInReverse() async throws {
        try await Workbench.with { bench in
            bench.runtime.script("web", .fails("exited with 3"))
            let create = try await bench.accept([service("web", needs: ["api"]), service("api")])
            await bench.orchestrator.submit(create)
            #expect(try await bench.ended(create.id).state == .failed)
            await bench.orchestrator.submit(try await acceptUndo(bench, create.id))
            #expect(try await bench.ended(create.id).state == .undone)
            #expect(bench.runtime.stopped == ["web", "api"])
            #expect(try await leftovers(bench).environments == 0)
        }
    }

    // MARK: What an undo must not forget

    private func step(
        _ key: String, _ action: PlannedStep.Action, _ state: StepRecord.State, needs: [String] = [],
        compensation: PlannedStep.Action? = nil
    ) -> StepRecord {
        var step = StepRecord(
            plan: PlannedStep(
                key: key, title: key, reason: "", action: action, needs: needs, compensation: compensation))
        step.state = state
        return step
    }

    private func resume(_ steps: [StepRecord]) -> ExecutionMachine {
        ExecutionMachine(
            ExecutionRecord(
                id: ExecutionID(rawValue: "exe-r"), environment: EnvironmentID(rawValue: "env-a"), kind: .resume,
                state: .compensating, steps: steps, createdAt: 1))
    }

    /// The one before it was superseded while it still stopped what it had started: undoing one that never began anything
    /// stops that all the same.
    @Test func undoingAResumeThatNeverBeganStopsWhatIsThere() {
        var machine = resume([
            step("ports", .allocatePorts, .pending, compensation: .stopStrays),
            step(
                "service/api/start", .startService("api"), .pending, needs: ["ports"], compensation: .stopService("api")
            ),
        ])
        let started = machine.startable(now: 1).map(\.action)
        #expect(started == [.stopStrays])
    }

    /// An initialiser that ran when somebody said undo: whether it took effect is not known, and that stays so.
    @Test func anInitialiserThatWasCutOffByAnUndoStaysUnknown() {
        let steps = [
            step("ports", .allocatePorts, .succeeded, compensation: .stopStrays),
            step(
                "service/api/start", .startService("api"), .succeeded, needs: ["ports"],
                compensation: .stopService("api")),
            step("service/api/init/0", .initialise("api", index: 0), .running, needs: ["service/api/start"]),
        ]
        let isRepeatable = { (step: PlannedStep) in step.key != "service/api/init/0" }
        var machine = resume(steps)
        let unknown = machine.resume(isRepeatable: isRepeatable)
        #expect(unknown.map(\.plan.key) == ["service/api/init/0"])
        // It holds nothing up.
        var undone: [String] = []
        while let start = machine.startable(now: 1).first {
            undone.append(start.step.plan.key)
            _ = machine.ended(
                start.step.plan.key, nil, policy: StepPolicy(attempts: 1, timeout: nil), now: 1, random: 0)
        }
        #expect(undone == ["service/api/start", "ports"])
        machine.finish(cancelled: false, now: 1, isRepeatable: isRepeatable)
        #expect(machine.record.state == .undone)
        #expect(machine.record.steps.last?.state == .outcomeUnknown)

        // Superseded before that, the same.
        var superseded = resume(steps)
        superseded.finish(cancelled: true, now: 1, isRepeatable: isRepeatable)
        #expect(superseded.record.steps.last?.state == .outcomeUnknown)
    }

    @Test func theNextServerGoesOnUndoing() async throws {
        try await Workbench.with { bench in
            bench.runtime.script("api", .hangs)
            let create = try await bench.accept([service("api")])
            await bench.orchestrator.submit(create)
            try await eventually("the start of api") { bench.runtime.applied.isEmpty ? nil : true }
            await bench.orchestrator.stop()
            _ = try await acceptUndo(bench, create.id)
            let next = Workbench(store: bench.store, runtime: bench.runtime)
            try await next.orchestrator.start()
            #expect(try await next.ended(create.id).state == .undone)
            #expect(try await leftovers(bench).environments == 0)
            await next.orchestrator.stop()
        }
    }

    @Test func aFailureThatMayPassIsTriedAgainAndOneThatMayNotIsNot() async throws {
        try await Workbench.with { bench in
            bench.runtime.failNextApplies([
                RuntimeError(.unavailable, "the supervisor is away"), RuntimeError(.ioError, "no space left"),
            ])
            let create = try await bench.accept([service("api")])
            await bench.orchestrator.submit(create)
            let ended = try await bench.ended(create.id)
            #expect(ended.state == .succeeded)
            #expect(ended.steps.first { $0.plan.key == "service/api/start" }?.attempt == 3)
        }
        try await Workbench.with { bench in
            bench.runtime.failNextApplies([RuntimeError(.invalidWorkload, "no such user")])
            let create = try await bench.accept([service("api")])
            await bench.orchestrator.submit(create)
            let ended = try await bench.ended(create.id)
            #expect(ended.state == .failed)
            #expect(ended.error == "start api: no such user")
            #expect(ended.steps.first { $0.plan.key == "service/api/start" }?.attempt == 1)
        }
    }

    @Test func aRunThatLostItsClaimWritesNothingMore() async throws {
        try await Workbench.with { bench in
            bench.runtime.script("api", .hangs)
            let create = try await bench.accept([service("api")])
            await bench.orchestrator.submit(create)
            try await eventually("the start of api") { bench.runtime.applied.isEmpty ? nil : true }
            // Another server claims it, and says that it has ended.
            let taken = try await bench.store.write { store in
                _ = try store.claim(create.id)
                guard var execution = try store.execution(create.id) else { return create }
                execution.state = .cancelled
                try store.save(execution)
                return execution
            }
            bench.runtime.set("api", of: create.environment, .ready)
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await bench.execution(create.id) == taken)
            #expect(try await bench.environment().state == .provisioning)
        }
    }

    @Test func aStopTakesThePlaceOfAResumeAndTheOtherWayRound() async throws {
        try await Workbench.with { bench in
            bench.runtime.script("api", .hangs)
            let create = try await bench.accept([service("api")])
            await bench.orchestrator.submit(create)
            try await eventually("the start of api") { bench.runtime.applied.isEmpty ? nil : true }
            let stop = try await bench.store.write { store -> ExecutionRecord in
                guard var record = try store.environment(create.environment) else { return create }
                let stop = ExecutionRecord(
                    id: ExecutionID(rawValue: "exe-stop"), environment: record.id, kind: .stop,
                    steps: Planner.stop(record).steps.map { StepRecord(plan: $0) }, createdAt: 5, reason: "idle")
                try store.accept(stop, of: &record, at: 5)
                return stop
            }
            await bench.orchestrator.submit(stop)
            #expect(try await bench.ended(stop.id).state == .succeeded)
            let ended = try await bench.execution(create.id)
            #expect(ended.state == .cancelled)
            #expect(ended.error == "superseded by stop exe-stop")
            let record = try await bench.environment()
            #expect(record.state == .stopped)
            #expect(record.message == "idle")
            let events = try await bench.store.read { try $0.events(of: record.id, after: nil, limit: 20) }
            #expect(events.map(\.message).contains("provisioning → stopping"))
            #expect(events.last?.message == "stopping → stopped: idle")
        }
    }
}
