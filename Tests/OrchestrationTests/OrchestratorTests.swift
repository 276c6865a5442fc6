import Blueprints
import EnvironmentGraph
import Orchestration
import Runtimes
import Storage
import TestSupport
import Testing

@Suite struct OrchestratorTests {
    private let http = PortSpec(name: "http")

    private func service(_ name: String, needs: [String] = [], env: [String: String] = [:]) -> ServiceSpec {
        ServiceSpec(
            name: name, command: ["run"], ports: [http], env: env, expose: name == "web",
            dependsOn: needs.map { DependencySpec(service: $0, origin: .reference) })
    }

    @Test func aCreateStartsDependenciesFirstAndEndsRunning() async throws {
        try await Workbench.with { bench in
            let web = service("web", needs: ["api"], env: ["API": "${services.api.url}", "ID": "${env.id}"])
            let execution = try await bench.accept([web, service("api")])
            await bench.orchestrator.submit(execution)
            let ended = try await bench.ended(execution.id)
            #expect(ended.state == .succeeded)
            #expect(ended.steps.allSatisfy { $0.state == .succeeded && $0.attempt == 1 })
            #expect(bench.runtime.applied.map(\.service) == ["api", "web"])
            #expect(try await bench.environment().state == .running)
            let ports = try await bench.store.read { try $0.ports(of: execution.environment) }
            let address = try #require(
                ports.first { $0.purpose == .address(caller: "web", service: "api", port: "http") })
            let workload = try #require(bench.runtime.applied.last)
            #expect(workload.env["API"] == "http://127.0.0.1:\(address.number)")
            #expect(workload.env["ID"] == "env-shop")
            #expect(workload.ports.first?.number != address.number)
            #expect(bench.routes.count >= 4)
        }
    }

    @Test func aServiceThatFailsMakesTheEnvironmentAnErrorWithItsLastOutput() async throws {
        try await Workbench.with { bench in
            bench.runtime.script("api", .fails("exited with 3"))
            let execution = try await bench.accept([service("web", needs: ["api"]), service("api")])
            await bench.orchestrator.submit(execution)
            let ended = try await bench.ended(execution.id)
            #expect(ended.state == .failed)
            let states = Dictionary(uniqueKeysWithValues: ended.steps.map { ($0.plan.key, $0.state) })
            #expect(states["service/api/ready"] == .failed)
            #expect(states["service/web/start"] == .skipped)
            let environment = try await bench.environment()
            #expect(environment.state == .error)
            #expect(environment.message == "wait until api is ready: exited with 3\nlast output:\n  boom")
        }
    }

    @Test func aDeleteCancelsTheCreateThatHangs() async throws {
        try await Workbench.with { bench in
            bench.runtime.script("api", .hangs)
            let create = try await bench.accept([service("api")])
            await bench.orchestrator.submit(create)
            try await eventually("the wait for api") {
                let step = try await bench.execution(create.id).steps.first { $0.plan.key == "service/api/ready" }
                return step?.message == "tcp: connection refused" ? true : nil
            }
            let delete = try await bench.acceptDeletion()
            await bench.orchestrator.submit(delete)
            #expect(try await bench.ended(delete.id).state == .succeeded)
            #expect(try await bench.execution(create.id).state == .cancelled)
            #expect(bench.runtime.deleted == [create.environment])
            let (left, ports) = try await bench.store.read { (try $0.environments(), try $0.portsInUse()) }
            #expect(left.isEmpty)
            #expect(ports.isEmpty)
        }
    }

    @Test func theNextServerGoesOnWhereTheLastOneDied() async throws {
        try await Workbench.with { bench in
            bench.runtime.script("api", .hangs)
            let execution = try await bench.accept([service("web", needs: ["api"]), service("api")])
            await bench.orchestrator.submit(execution)
            try await eventually("the wait for api") {
                let step = try await bench.execution(execution.id).steps.first { $0.plan.key == "service/api/ready" }
                return step?.state == .running ? true : nil
            }
            await bench.orchestrator.stop()
            let left = try await bench.execution(execution.id)
            #expect(!left.state.isFinal)

            let next = Workbench(store: bench.store, runtime: bench.runtime)
            try await next.orchestrator.start()
            bench.runtime.script("web", .comesUp)
            bench.runtime.set("api", of: execution.environment, .ready)
            let ended = try await next.ended(execution.id)
            #expect(ended.state == .succeeded)
            #expect(ended.steps.first { $0.plan.key == "ports" }?.attempt == 1)
            #expect(ended.steps.first { $0.plan.key == "service/api/ready" }?.attempt == 2)
            await next.orchestrator.stop()
        }
    }

    @Test func aServiceThatFallsDegradesItsEnvironmentAndBackAgain() async throws {
        try await Workbench.with { bench in
            let execution = try await bench.accept([service("api")])
            await bench.orchestrator.submit(execution)
            _ = try await bench.ended(execution.id)
            bench.runtime.set("api", of: execution.environment, .restarting, "exited with 1")
            try await eventually("degraded") {
                let record = try await bench.environment()
                return record.state == .degraded && record.message == "api is restarting: exited with 1" ? true : nil
            }
            bench.runtime.set("api", of: execution.environment, .ready)
            try await eventually("running again") {
                let record = try await bench.environment()
                return record.state == .running && record.message == nil ? true : nil
            }
        }
    }

    @Test func aCommandWhoseOutcomeACrashHidIsNotRepeated() async throws {
        try await Workbench.with { bench in
            var api = service("api")
            api.initialisers = [.command(["seed"])]
            var execution = try await bench.accept([api])
            for index in execution.steps.indices {
                let isInit = execution.steps[index].plan.key == "service/api/init/0"
                execution.steps[index].state = isInit ? .running : isInit ? .pending : .succeeded
                if execution.steps[index].plan.key == "routes/open" { execution.steps[index].state = .pending }
            }
            execution.state = .running
            try await bench.store.write { [execution] in try $0.save(execution) }
            try await bench.orchestrator.start()
            let ended = try await bench.ended(execution.id)
            #expect(ended.steps.first { $0.plan.key == "service/api/init/0" }?.state == .outcomeUnknown)
            #expect(ended.state == .failed)
            #expect(bench.runtime.commands.isEmpty)
        }
    }

    /// Found by `make kill`: it was taken up again, moved back to `updating`, and nobody moved it on.
    @Test func anUpdateThatADeathInterruptedAfterItsRoutesWereOpenedEndsRunning() async throws {
        try await Workbench.with { bench in
            let create = try await bench.accept([service("api")])
            await bench.orchestrator.submit(create)
            _ = try await bench.ended(create.id)
            await bench.orchestrator.stop()

            let record = try await bench.environment()
            let plan = Planner.update(from: record, to: record, reasons: [:], ensuresAll: false)
            var update = ExecutionRecord(
                id: ExecutionID(rawValue: "exe-update"), environment: record.id, kind: .update,
                steps: plan.steps.map { StepRecord(plan: $0) }, createdAt: 2)
            let left = ["strays/stop", "ports/trim"]
            for index in update.steps.indices where !left.contains(update.steps[index].plan.key) {
                update.steps[index].state = .succeeded
            }
            #expect(update.steps.contains { $0.plan.key == "routes/open" && $0.state == .succeeded })
            update.state = .running
            try await bench.store.write { [update] in try $0.save(update) }

            let next = Workbench(store: bench.store, runtime: bench.runtime)
            try await next.orchestrator.start()
            #expect(try await next.ended(update.id).state == .succeeded)
            #expect(try await next.environment().state == .running)
            await next.orchestrator.stop()
        }
    }

    @Test func aCreateWhoseDeletionWasAcceptedFirstEndsCancelled() async throws {
        try await Workbench.with { bench in
            let create = try await bench.accept([service("api")])
            let delete = try await bench.acceptDeletion()
            try await bench.orchestrator.start()
            #expect(try await bench.ended(delete.id).state == .succeeded)
            #expect(try await bench.ended(create.id).state == .cancelled)
            #expect(bench.runtime.applied.isEmpty)
            #expect(try await bench.execution(delete.id).steps.allSatisfy { $0.state == .succeeded })
        }
    }

    @Test func aSubmissionOfWhatRunsAlreadyChangesNothing() async throws {
        try await Workbench.with { bench in
            bench.runtime.script("api", .hangs)
            let execution = try await bench.accept([service("api")])
            await bench.orchestrator.submit(execution)
            try await eventually("the start of api") { bench.runtime.applied.isEmpty ? nil : true }
            await bench.orchestrator.submit(execution)
            bench.runtime.set("api", of: execution.environment, .ready)
            #expect(try await bench.ended(execution.id).state == .succeeded)
            #expect(bench.runtime.applied.count == 1)
        }
    }
}
