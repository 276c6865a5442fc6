import Blueprints
import EnvironmentGraph
import Orchestration
import Runtimes
import Storage
import TestSupport
import Testing

@Suite struct DeviationTests {
    private func service(_ name: String, volume: String? = nil, restart: RestartPolicy = .always) -> ServiceSpec {
        var service = ServiceSpec(name: name, command: ["run"], ports: [PortSpec(name: "http")])
        service.volumes = volume.map { [VolumeSpec(name: $0, mountPath: "/data")] } ?? []
        service.restart = restart
        return service
    }

    private func status(
        _ service: String, _ state: WorkloadStatus.State = .ready, generation: Int = 1, pid: Int32? = 10,
        restarts: Int = 0, exitCode: Int32? = nil
    ) -> WorkloadStatus {
        WorkloadStatus(
            service: service, generation: generation, state: state, pid: pid, restarts: restarts, exitCode: exitCode)
    }

    /// An environment that runs, and what the bench recorded of it.
    private func running(
        _ services: [ServiceSpec], repair: RepairPolicy = .auto,
        _ body: (Workbench, EnvironmentID) async throws -> Void
    ) async throws {
        try await Workbench.with { bench in
            let execution = try await bench.accept(services, repair: repair)
            try await bench.orchestrator.start()
            await bench.orchestrator.submit(execution)
            #expect(try await bench.ended(execution.id).state == .succeeded)
            try await body(bench, execution.environment)
        }
    }

    private func deviation(
        _ bench: Workbench, _ kind: DeviationRecord.Kind, _ state: DeviationRecord.State
    ) async throws -> DeviationRecord {
        try await eventually("\(kind) being \(state)") {
            "\((try? await bench.store.read { try $0.deviations(of: nil) }) ?? [])"  // The text of a failure.
        } _: {
            try await bench.store.read { try $0.deviations(of: nil) }.first { $0.kind == kind && $0.state == state }
        }
    }

    @Test func aProcessThatEndedIsRecordedAndMendedWhenItIsBack() async throws {
        try await running([service("api")]) { bench, id in
            bench.runtime.set(status("api"), of: id)
            bench.runtime.set(status("api", .restarting, pid: nil, restarts: 1, exitCode: 137), of: id)
            let open = try await deviation(bench, .processEnded, .open)
            #expect(open.message == "ended by signal 9" && open.count == 1 && open.service == "api")
            bench.runtime.set(status("api", pid: 11, restarts: 1), of: id)
            let mended = try await deviation(bench, .processEnded, .mended)
            #expect(mended.remedy == "started again, as its restart policy says")
            let kinds = try await bench.store.read { try $0.events(of: id, after: nil, limit: 100) }.map(\.kind)
            #expect(kinds.contains(.deviationFound) && kinds.contains(.deviationMended))
        }
    }

    @Test func whatEndsAgainAndAgainIsACircleThatDegrades() async throws {
        try await running([service("api")]) { bench, id in
            for round in 1...4 {
                bench.runtime.set(status("api", pid: Int32(round), restarts: round - 1), of: id)
                try await eventually("it is noticed") {
                    bench.board.status(of: "api", in: id)?.pid == Int32(round) ? true : nil
                }
                bench.runtime.set(status("api", .restarting, pid: nil, restarts: round, exitCode: 3), of: id)
                try await eventually("the end is noticed") {
                    bench.board.status(of: "api", in: id)?.pid == nil ? true : nil
                }
            }
            bench.runtime.set(status("api", pid: 99, restarts: 4), of: id)
            let loop = try await deviation(bench, .crashLoop, .open)
            #expect(loop.message == "api ends again and again: 4 times within 5 min, last: exited with 3")
            // It is ready just now, and not to be trusted.
            try await eventually("degraded") {
                let record = try await bench.environment()
                return record.state == .degraded && record.message == loop.message ? true : nil
            }
        }
    }

    @Test func whatTheRuntimeLostIsAppliedAgainOrOnlyReported() async throws {
        try await running([service("api")]) { bench, id in
            let before = bench.runtime.applied.count
            bench.runtime.lose("api", of: id)
            try await eventually("applied again") { bench.runtime.applied.count > before ? true : nil }
            let mended = try await deviation(bench, .workloadMissing, .mended)
            #expect(mended.remedy == "applied again")
        }
        try await running([service("api")], repair: .report) { bench, id in
            let before = bench.runtime.applied.count
            bench.runtime.lose("api", of: id)
            var open = try await deviation(bench, .workloadMissing, .open)
            #expect(open.remedy == "microstax env repair shop")
            #expect(bench.runtime.applied.count == before)
            open.isToBeMended = true
            try await bench.store.write { [open] in try $0.save(open) }
            bench.orchestrator.look(at: id)
            try await eventually("applied again") { bench.runtime.applied.count > before ? true : nil }
            _ = try await deviation(bench, .workloadMissing, .mended)
        }
    }

    @Test func aStrangerIsStoppedAndAForeignStopIsUndone() async throws {
        try await running([service("api")]) { bench, id in
            bench.runtime.set(status("stranger"), of: id)
            _ = try await deviation(bench, .workloadUnexpected, .mended)
            #expect(bench.runtime.stopped == ["stranger"])
            let before = bench.runtime.applied.count
            bench.runtime.set(status("api", .stopped, pid: nil), of: id)
            try await eventually("applied again") { bench.runtime.applied.count > before ? true : nil }
            let mended = try await deviation(bench, .workloadMissing, .mended)
            #expect(mended.message == "somebody else stopped api")
        }
    }

    @Test func aLostVolumeIsMadeAgainAndInitialisedByAnExecution() async throws {
        var db = service("db", volume: "data")
        db.initialisers = [.command(["seed"])]
        try await running([db, service("api")]) { bench, id in
            #expect(bench.runtime.commands.count == 1)
            #expect(bench.runtime.applied.first { $0.service == "db" }?.volumes.first?.mustExist == false)
            bench.runtime.irregularities([
                Irregularity(.volumeMissing, service: "db", volume: "data", message: "it is gone")
            ])
            bench.orchestrator.look(at: id)
            let execution = try await eventually("a restart") {
                try await bench.store.read { try $0.executions(of: id) }.first { $0.kind == .restart }
            }
            bench.runtime.irregularities([])
            let ended = try await bench.ended(execution.id)
            #expect(ended.state == .succeeded && ended.actor == "microstax" && ended.reason == "it is gone")
            #expect(ended.steps.map(\.plan.key).contains("service/db/init/0"))
            #expect(!ended.steps.map(\.plan.key).contains("service/api/start"))
            #expect(bench.runtime.commands.count == 2)
            let again = bench.runtime.applied.last { $0.service == "db" }
            #expect(again?.generation == 2 && again?.volumes.first?.mustExist == false)
            let mended = try await deviation(bench, .volumeMissing, .mended)
            #expect(mended.remedy == "made again, empty, and initialised again; what was in it is lost")
            #expect(try await bench.environment().state == .running)
        }
    }

    @Test func aLostVolumeThatIsOnlyReportedDegrades() async throws {
        try await running([service("db", volume: "data")], repair: .report) { bench, id in
            bench.runtime.irregularities([
                Irregularity(.volumeMissing, service: "db", volume: "data", message: "it is gone")
            ])
            bench.orchestrator.look(at: id)
            _ = try await deviation(bench, .volumeMissing, .open)
            try await eventually("degraded") {
                let record = try await bench.environment()
                return record.state == .degraded && record.message == "it is gone" ? true : nil
            }
            #expect(try await bench.store.read { try $0.executions(of: id) }.allSatisfy { $0.kind != .restart })
            // Somebody put it back.
            bench.runtime.irregularities([])
            bench.orchestrator.look(at: id)
            _ = try await deviation(bench, .volumeMissing, .gone)
            try await eventually("running again") { try await bench.environment().state == .running ? true : nil }
        }
    }
}
