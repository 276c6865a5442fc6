import Blueprints
import EnvironmentGraph
import ProcessRuntime
import Runtimes
import Testing

/// The state machine alone: no process, no clock.
struct ServiceMachineTests {
    private func workload(generation: Int = 1, _ change: (inout Workload) -> Void = { _ in }) -> Workload {
        var workload = Workload(
            environment: EnvironmentID(rawValue: "env-a"), service: "main", generation: generation, command: ["x"],
            workdir: "/", stopGraceSeconds: 10)
        change(&workload)
        return workload
    }

    private func applied(_ workload: Workload) -> (machine: ServiceMachine, actions: [ServiceAction]) {
        var machine = ServiceMachine(workload, seed: 1)
        let actions = machine.handle(.apply(workload, hasSecrets: true), at: 0)
        return (machine, actions)
    }

    /// Applied and running since 0.
    private func running(_ workload: Workload) -> ServiceMachine {
        var machine = applied(workload).machine
        _ = machine.handle(.started(pid: 7), at: 0)
        return machine
    }

    /// Lets a run end and everything of it be gone.
    private func end(_ machine: inout ServiceMachine, _ code: Int32, at now: Int64) {
        let actions = machine.handle(.exited(code, lastOutput: ["last"]), at: now)
        #expect(actions.contains(.killAll))
        #expect(
            machine.handle(.cleanedUp(leftOver: nil), at: now).allSatisfy { if case .note = $0 { true } else { false } }
        )
    }

    @Test func startsAtOnceAndIsReadyAfterSettling() {
        var (machine, actions) = applied(workload())
        #expect(actions == [.start])
        _ = machine.handle(.started(pid: 7), at: 0)
        #expect(machine.status.state == .starting)
        #expect(machine.status.pid == 7)
        #expect(machine.nextDeadline == 100)
        _ = machine.handle(.tick, at: 99)
        #expect(machine.status.state == .starting)
        _ = machine.handle(.tick, at: 100)
        #expect(machine.status.state == .ready)
        #expect(machine.status.since == 100)
        #expect(machine.nextDeadline == nil)
    }

    @Test func buildsFirst() {
        var (machine, actions) = applied(workload { $0.build = ["make"] })
        #expect(actions.last == .build)
        #expect(machine.status.state == .building)
        #expect(machine.handle(.buildEnded(exitCode: 0, lastOutput: []), at: 5).last == .start)
        (machine, actions) = applied(workload { $0.build = ["make"] })
        #expect(machine.handle(.buildEnded(exitCode: 2, lastOutput: ["no rule"]), at: 5) == [.killAll])
        _ = machine.handle(.cleanedUp(leftOver: nil), at: 6)
        #expect(machine.status.state == .failed)
        #expect(machine.status.message == "build exited with 2")
        #expect(machine.status.lastOutput == ["no rule"])
    }

    @Test func threeFailedStartsAreTheEnd() {
        var machine = running(workload())
        end(&machine, 1, at: 10)
        #expect(machine.status.state == .restarting)
        #expect(machine.phase == .backingOff(until: 110))
        #expect(machine.handle(.tick, at: 110) == [.start])
        _ = machine.handle(.started(pid: 8), at: 110)
        end(&machine, 1, at: 120)
        #expect(machine.phase == .backingOff(until: 520))
        _ = machine.handle(.tick, at: 520)
        _ = machine.handle(.started(pid: 9), at: 520)
        end(&machine, 1, at: 530)
        #expect(machine.status.state == .failed)
        #expect(machine.status.message == "exited with 1 before it was ready, 3 times")
        #expect(machine.status.restarts == 2)
        #expect(machine.status.exitCode == 1)
        #expect(machine.status.lastOutput == ["last"])
        #expect(machine.hasEnded)
    }

    @Test func whatCannotBeRunFailsAtOnce() {
        var machine = applied(workload()).machine
        _ = machine.handle(.notStarted("no such program: `x`", lastOutput: []), at: 1)
        #expect(machine.status.state == .failed)
        #expect(machine.status.message == "no such program: `x`")
    }

    @Test func aProvenServiceIsRestartedForEverWithGrowingPauses() {
        let workload = workload { $0.probes.readiness = ProbeSpec(.tcp(port: nil)) }
        var machine = running(workload)
        var now: Int64 = 0
        var pauses: [Int64] = []
        for _ in 0..<14 {
            _ = machine.handle(.probed(.readiness, .passed, run: machine.run), at: now)
            #expect(machine.status.state == .ready)
            end(&machine, 1, at: now)
            #expect(machine.status.state == .restarting)
            guard case .backingOff(let until) = machine.phase else { return #expect(Bool(false), "no pause") }
            pauses.append(until - now)
            now = until
            #expect(machine.handle(.tick, at: now) == [.start])
            _ = machine.handle(.started(pid: 1), at: now)
        }
        #expect((80...120).contains(pauses[0]) && (160...240).contains(pauses[1]), "\(pauses)")
        #expect(pauses.allSatisfy { $0 <= 30_000 } && pauses.suffix(3).allSatisfy { $0 >= 24_000 }, "\(pauses)")
        #expect(machine.status.restarts == 14)
        // A minute of health makes the pauses begin anew.
        _ = machine.handle(.probed(.readiness, .passed, run: machine.run), at: now)
        end(&machine, 1, at: now + 60_000)
        guard case .backingOff(let until) = machine.phase else { return #expect(Bool(false), "no pause") }
        #expect((80...120).contains(until - now - 60_000))
    }

    @Test(arguments: [
        (RestartPolicy.never, Int32(0), WorkloadStatus.State.stopped), (.never, 1, .failed), (.onFailure, 0, .stopped),
        (.onFailure, 1, .restarting), (.always, 0, .restarting), (.always, 143, .restarting),
    ])
    func policies(_ policy: RestartPolicy, _ code: Int32, _ state: WorkloadStatus.State) {
        var machine = running(workload { $0.restart = policy })
        end(&machine, code, at: 10)
        #expect(machine.status.state == state)
        #expect(machine.status.exitCode == code)
    }

    @Test func probingIsQuickAtFirst() {
        var machine = running(workload { $0.probes.readiness = ProbeSpec(.tcp(port: nil)) })
        #expect(machine.nextDeadline == 60_000)  // One is under way; only the limit is awaited.
        _ = machine.handle(.probed(.readiness, .failed("refused"), run: 1), at: 3)
        #expect(machine.nextDeadline == 28)
        #expect(machine.handle(.tick, at: 28) == [.probe(.readiness, run: 1)])
        _ = machine.handle(.probed(.readiness, .failed("refused"), run: 1), at: 2500)
        #expect(machine.nextDeadline == 3500)
        _ = machine.handle(.tick, at: 3500)
        _ = machine.handle(.probed(.readiness, .passed, run: 1), at: 3600)
        #expect(machine.status.state == .ready)
        #expect(machine.nextDeadline == 4600)
    }

    @Test func aReadinessProbeThatNeverPassesStopsTheService() {
        var machine = running(
            workload { $0.probes.readiness = ProbeSpec(.tcp(port: nil), periodSeconds: 1, failureThreshold: 3) })
        _ = machine.handle(.probed(.readiness, .failed("refused"), run: 1), at: 2900)
        #expect(machine.nextDeadline == 3000)
        #expect(machine.handle(.tick, at: 3000).contains(.signal))
        #expect(machine.handle(.exited(143, lastOutput: ["bye"]), at: 3010).contains(.watchGroup))
        #expect(machine.handle(.groupEmpty, at: 3020) == [.killAll])
        _ = machine.handle(.cleanedUp(leftOver: nil), at: 3030)
        #expect(machine.status.state == .failed)
        #expect(machine.status.message == "readiness: refused; gave up after 3.0 s")
    }

    @Test func aReadyServiceBecomesUnhealthyAndReadyAgain() {
        var machine = running(workload { $0.probes.readiness = ProbeSpec(.tcp(port: nil)) })
        _ = machine.handle(.probed(.readiness, .passed, run: 1), at: 0)
        for number in 1...3 {
            #expect(machine.status.state == .ready)
            _ = machine.handle(.probed(.readiness, .failed("refused"), run: 1), at: Int64(number) * 1000)
        }
        #expect(machine.status.state == .unhealthy)
        #expect(machine.status.message == "readiness: refused")
        _ = machine.handle(.probed(.readiness, .passed, run: 1), at: 9000)
        #expect(machine.status.state == .ready)
        #expect(machine.status.message == nil)
    }

    @Test func livenessRestartsAfterItsThreshold() {
        var machine = running(
            workload {
                $0.probes.readiness = ProbeSpec(.tcp(port: nil))
                $0.probes.liveness = ProbeSpec(.exec(command: ["x"]), failureThreshold: 2)
            })
        #expect(machine.handle(.probed(.liveness, .failed("no"), run: 1), at: 0) == [])
        let actions = machine.handle(.probed(.readiness, .passed, run: 1), at: 0)
        #expect(actions == [.probe(.liveness, run: 1)])
        _ = machine.handle(.probed(.liveness, .failed("no"), run: 1), at: 10)
        #expect(machine.handle(.probed(.liveness, .failed("no"), run: 1), at: 1010).contains(.signal))
        _ = machine.handle(.exited(143, lastOutput: []), at: 1020)
        _ = machine.handle(.groupEmpty, at: 1020)
        _ = machine.handle(.cleanedUp(leftOver: nil), at: 1020)
        #expect(machine.status.state == .restarting)
        #expect(machine.status.message == "liveness: no")
    }

    @Test func readinessWaitsForStartup() {
        var machine = running(
            workload {
                $0.probes.startup = ProbeSpec(.log(pattern: "up"), failureThreshold: 2)
                $0.probes.readiness = ProbeSpec(.tcp(port: nil))
            })
        _ = machine.handle(.probed(.startup, .failed("no line"), run: 1), at: 1)
        #expect(machine.handle(.logMatched, at: 2) == [.probe(.startup, run: 1)])
        #expect(machine.handle(.probed(.startup, .passed, run: 1), at: 3) == [.probe(.readiness, run: 1)])
        #expect(machine.status.state == .starting)
    }

    @Test func answersOfAnEarlierRunAreIgnored() {
        let workload = workload { $0.probes.readiness = ProbeSpec(.tcp(port: nil)) }
        var machine = running(workload)
        end(&machine, 1, at: 10)
        _ = machine.handle(.tick, at: 110)
        _ = machine.handle(.started(pid: 8), at: 110)
        _ = machine.handle(.probed(.readiness, .passed, run: 1), at: 120)
        #expect(machine.status.state == .starting)
    }

    @Test func stoppingKeepsTheGraceAndThenKills() {
        var machine = running(workload())
        #expect(machine.handle(.stop, at: 0).contains(.signal))
        #expect(machine.nextDeadline == 10_000)
        #expect(machine.handle(.tick, at: 9999) == [])
        #expect(machine.handle(.tick, at: 10_000).last == .killAll)
        _ = machine.handle(.exited(137, lastOutput: []), at: 10_001)
        _ = machine.handle(.cleanedUp(leftOver: nil), at: 10_002)
        #expect(machine.status.state == .stopped)
        #expect(machine.status.exitCode == 137)
        #expect(machine.hasEnded)
    }

    @Test(arguments: [-1, 0, 1e300, .infinity, .nan]) func noTimeIsTooLong(_ seconds: Double) {
        var machine = running(
            workload {
                $0.stopGraceSeconds = seconds
                $0.probes.readiness = ProbeSpec(.tcp(port: nil), periodSeconds: seconds, failureThreshold: .max)
            })
        _ = machine.handle(.probed(.readiness, .passed, run: 1), at: 0)
        _ = machine.handle(.stop, at: 0)
        #expect(machine.nextDeadline.map { (0...604_800_000).contains($0) } == true)
    }

    @Test func theSameGenerationAgainIsNothing() {
        let workload = workload()
        var machine = running(workload)
        #expect(machine.handle(.apply(workload, hasSecrets: true), at: 1) == [])
        for _ in 0..<2 {
            end(&machine, 1, at: 10)
            _ = machine.handle(.tick, at: 1000)
            _ = machine.handle(.started(pid: 1), at: 1000)
        }
        end(&machine, 1, at: 1010)
        #expect(machine.status.state == .failed)
        #expect(machine.handle(.apply(workload, hasSecrets: true), at: 1020) == [])
        #expect(machine.handle(.apply(self.workload(generation: 2), hasSecrets: true), at: 1020) == [.start])
        #expect(machine.status.generation == 2)
        #expect(machine.status.restarts == 0)
    }

    @Test func anotherGenerationReplacesWhatRuns() {
        var machine = running(workload())
        #expect(machine.handle(.apply(workload(generation: 2), hasSecrets: true), at: 1).contains(.signal))
        _ = machine.handle(.exited(0, lastOutput: []), at: 2)
        #expect(machine.handle(.groupEmpty, at: 2) == [.killAll])
        #expect(machine.handle(.cleanedUp(leftOver: nil), at: 2) == [.start])
        #expect(machine.workload.generation == 2)
    }

    @Test func aStopDuringAnyPhaseEndsStopped() {
        let building = workload { $0.build = ["make"] }
        var machine = applied(building).machine
        #expect(machine.handle(.stop, at: 1) == [.killAll])
        _ = machine.handle(.cleanedUp(leftOver: nil), at: 2)
        #expect(machine.status.state == .stopped)

        machine = applied(workload()).machine
        #expect(machine.handle(.stop, at: 1) == [])
        #expect(machine.handle(.started(pid: 1), at: 2).contains(.signal))

        machine = running(workload())
        end(&machine, 1, at: 10)
        #expect(machine.handle(.stop, at: 20) == [])
        #expect(machine.status.state == .stopped)
        #expect(machine.nextDeadline == nil)
        #expect(machine.handle(.apply(workload(), hasSecrets: true), at: 30) == [.start])

        machine = running(workload())
        _ = machine.handle(.apply(workload(generation: 2), hasSecrets: true), at: 1)
        _ = machine.handle(.stop, at: 2)
        _ = machine.handle(.exited(0, lastOutput: []), at: 3)
        _ = machine.handle(.groupEmpty, at: 3)
        #expect(machine.handle(.cleanedUp(leftOver: nil), at: 3) == [])
        #expect(machine.status.state == .stopped)
    }

    @Test func whatCannotBeKilledIsNamed() {
        var machine = running(workload())
        _ = machine.handle(.stop, at: 0)
        _ = machine.handle(.exited(0, lastOutput: []), at: 1)
        _ = machine.handle(.groupEmpty, at: 1)
        _ = machine.handle(.cleanedUp(leftOver: "pid 5 (stuck)"), at: 2)
        #expect(machine.status.state == .failed)
        #expect(machine.status.message == "could not kill pid 5 (stuck)")
    }

    @Test func withoutItsSecretsItWaits() {
        let workload = workload()
        var machine = ServiceMachine(workload, seed: 1)
        #expect(machine.handle(.apply(workload, hasSecrets: false), at: 0) == [])
        #expect(machine.phase == .waitingForSecrets)
        #expect(!machine.hasEnded)
        #expect(machine.handle(.apply(workload, hasSecrets: true), at: 1) == [.start])
    }

    /// Whatever comes in whatever order: it never has a pid while it is ended, never gets stuck without anything under
    /// way, and a final stop always ends it.
    @Test(arguments: 0..<300) func anyOrderOfEvents(_ seed: UInt64) {
        var random = SplitMix(state: seed)
        let workload = workload {
            $0.build = seed % 2 == 0 ? ["make"] : []
            $0.probes.readiness = seed % 3 == 0 ? nil : ProbeSpec(.tcp(port: nil), failureThreshold: 3)
            $0.probes.liveness = ProbeSpec(.tcp(port: nil), failureThreshold: 2)
        }
        var machine = ServiceMachine(workload, seed: seed)
        var driver = FakeDriver()
        var now: Int64 = 0
        driver.take(machine.handle(.apply(workload, hasSecrets: true), at: now))
        for _ in 0..<200 {
            now += Int64(random.next() % 700)
            let event = driver.event(machine, workload, &random)
            driver.take(machine.handle(event, at: now))
            if machine.hasEnded { #expect(machine.status.pid == nil && !driver.isRunning) }
            let waits = machine.hasEnded || machine.nextDeadline != nil || driver.isBusy || driver.isRunning
            #expect(waits, "stuck in \(machine.phase) after \(event)")
        }
        driver.take(machine.handle(.stop, at: now))
        for _ in 0..<40 where !machine.hasEnded {
            now += 10_000
            driver.take(machine.handle(driver.nextAnswer() ?? .tick, at: now))
        }
        #expect(machine.hasEnded && machine.status.state == .stopped, "\(machine.phase)")
    }
}
