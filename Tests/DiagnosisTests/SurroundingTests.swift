import Blueprints
import EnvironmentGraph
import Testing

@testable import Diagnosis

/// What is told by facts other than output.
@Suite struct SurroundingTests {
    private func running(_ message: String? = nil, sockets: [SocketFact]) -> [Finding] {
        var service = Recorded.ended("api", [])
        service.state = .unhealthy
        service.message = message
        service.exitCode = nil
        service.pid = 40
        service.log = []
        service.since = Recorded.now - 9000
        var facts = Recorded.facts([service])
        facts.sockets = sockets
        return Diagnosis.findings(facts)
    }

    private func socket(_ address: String, _ port: Int, _ service: String?) -> SocketFact {
        SocketFact(address: address, port: port, pid: 41, program: "node", service: service)
    }

    @Test func theMachinesSocketsSayWhereItListens() {
        func code(_ sockets: SocketFact...) -> String? { running(sockets: sockets).first?.code }
        let found = [
            code(socket("127.0.0.1", 8080, "api")), code(socket("::1", 21004, "api")),
            code(socket("0.0.0.0", 21004, nil)),
            code(socket("0.0.0.0", 21004, "web")), code(socket("0.0.0.0", 22, nil)),
        ]
        #expect(
            found == [
                "listens_elsewhere", "listens_on_other_address", "port_taken", "port_taken", "listens_on_nothing",
            ])
    }

    @Test(arguments: [
        ("readiness: GET /health on port 21004 answered 404: nothing here", "probe_path_missing"),
        ("readiness: GET /health on port 21004 answered 500", "probe_answers_error"),
        ("readiness: GET /health on port 21004 answered 403", "probe_needs_login"),
        ("readiness: GET /health on port 21004: the answer is no HTTP", "speaks_no_http"),
        ("readiness: GET /health on port 21004 gave no answer within the probe's timeout", "probe_times_out"),
        ("readiness: no line matched /ready/", "log_probe_never_matches"),
        ("readiness: exec exited with 3: no", "exec_probe_fails"),
        ("readiness: tcp port 21004: connection refused; gave up after 60.0 s", "not_ready_in_time"),
        ("no such folder: /srv/x (workdir)", "workdir_missing"),
        ("there is no user `shop` on this machine", "user_unknown"),
        ("volume data: there is no /mnt/x on this machine", "volume_missing"),
        ("could not kill pid 12", "not_killable"),
        ("waits for its secrets, which are never on disk; apply it again", "waits_for_secrets"),
        ("build exited with 2", "build_failed"),
    ])
    func theRuntimesWordsAreUnderstood(_ message: String, _ code: String) {
        let found = running(message, sockets: [])
        #expect(found.map(\.code) == [code])
    }

    @Test func ownWordsTellWhereAServiceListenedThatIsGone() throws {
        let service = Recorded.ended("api", ["Server listening on http://localhost:3000"])
        let finding = try #require(Recorded.findings(service).first)
        #expect(finding.code == "listens_elsewhere")
        #expect(finding.confidence == .likely)
        #expect(finding.cause.contains("3000"))
    }

    @Test func aStepsErrorIsTold() {
        func codes(_ action: PlannedStep.Action, _ message: String, _ state: StepRecord.State = .failed) -> [String] {
            var service = Recorded.ready("api")
            if case .startService = action { service.state = .absent }
            var facts = Recorded.facts([service], state: .error)
            facts.executions = [Recorded.failed(action, message, state: state)]
            return Diagnosis.findings(facts).map(\.code)
        }
        let found = [
            codes(.initialise("api", index: 0), "seed.sql:3: ERROR:  syntax error"),
            codes(.startService("api"), "the secret token that api uses has no value"),
            codes(.allocatePorts, "port 80, which the Blueprint fixes with hostPort, belongs to other"),
            codes(.allocatePorts, "every port from 1 to 2 is in use"), codes(.publishRoutes, "something else"),
            codes(.startService("api"), "something else"), codes(.initialise("api", index: 0), "?", .outcomeUnknown),
        ]
        #expect(
            found == [
                ["init_failed"], ["secret_without_value"], ["fixed_port_belongs_to_another"], ["ports_used_up"],
                ["step_failed"], ["step_failed"], ["outcome_unknown"],
            ])
    }

    @Test func aStepThatIsTriedAgainIsAWarning() {
        var facts = Recorded.facts([Recorded.ready("api")], state: .provisioning)
        var execution = Recorded.failed(.publishRoutes, "the gateway does not answer", state: .pending)
        execution.state = .running
        execution.steps[0].retryAt = Recorded.now + 3000
        facts.executions = [execution]
        let found = Diagnosis.findings(facts)
        #expect(found.map(\.code) == ["step_tried_again"])
        #expect(found.map(\.severity) == [.warning])
    }

    @Test func anOverlayIsToldWhatItStandsOn() {
        let base = Recorded.environment([Recorded.spec("db"), Recorded.spec("api")], state: .running, name: "base")
        func codes(_ state: EnvironmentState, _ services: [String: String]) -> [String] {
            let own = Recorded.ready("api")
            var facts = Recorded.facts([own], state: .running)
            facts.environment = Recorded.environment(
                [own.spec], state: .running, name: "feat", mode: .overlay, kinds: ["api": .changed, "db": .inherited])
            let parent = Recorded.environment(base.spec.services, state: state, name: "base")
            facts.ancestors = [AncestorFacts(record: parent, services: services)]
            return Diagnosis.findings(facts).map(\.code)
        }
        let found = [
            codes(.stopped, [:]), codes(.degraded, ["db": "failed", "api": "ready"]),
            codes(.degraded, ["db": "ready", "api": "failed"]), codes(.running, [:]),
        ]
        #expect(found == [["parent_stopped"], ["provider_down"], [], []])
    }

    @Test func aRemovedServiceThatIsUsedIsNamed() {
        let spec = Recorded.spec("api", env: ["DB": "${services.db.address}"])
        var facts = Recorded.facts([ServiceFacts(spec: spec, state: .absent)], state: .error)
        facts.environment = Recorded.environment([spec], state: .error, mode: .overlay, kinds: ["db": .removed])
        facts.executions = [Recorded.failed(.startService("api"), "api needs the address of db, which feat removed")]
        let found = Diagnosis.findings(facts).map(\.code)
        #expect(found == ["removed_service_is_used"])
    }

    @Test func theGatewaysTroublesAreTold() {
        func codes(_ gateway: GatewayFacts) -> [String] {
            var facts = Recorded.facts([Recorded.ready("api")], state: .running)
            facts.gateway = gateway
            return Diagnosis.findings(facts).map(\.code)
        }
        func count(_ error: String, _ number: UInt64) -> GatewayFacts.ErrorCount {
            GatewayFacts.ErrorCount(error: error, caller: "edge", service: "api", count: number)
        }
        let found = [
            codes(GatewayFacts(problem: "not running")), codes(GatewayFacts(refused: [21004: "in use"])),
            codes(GatewayFacts(errors: [count("unknown_environment", 2)])),
            codes(GatewayFacts(errors: [count("upstream_reset", 9)])),
            codes(GatewayFacts(errors: [count("no_endpoint", 9)])),
        ]
        #expect(found == [["gateway_down"], ["gateway_cannot_listen"], ["unknown_context"], ["answers_break_off"], []])
    }

    @Test func theMachineAndWhatWasRecordedAreTold() {
        var facts = Recorded.facts([Recorded.ready("api")], state: .running)
        facts.machine.freeBytes = 1 << 20
        facts.deviations = [
            DeviationFact(kind: "volumeMissing", service: "api", message: "the volume data is gone", isOpen: true),
            DeviationFact(kind: "fileChanged", service: nil, message: "old", isOpen: false),
            DeviationFact(kind: "processEnded", service: "api", message: "ended", isOpen: true),
        ]
        facts.runtimeProblem = "no answer"
        let found = Diagnosis.findings(facts).map(\.code)
        #expect(Set(found) == ["machine_disk_full", "foreign_change", "runtime_not_reachable"])
    }

    @Test func aServiceThatKeepsEndingIsAWarningWhileItAnswers() {
        var service = Recorded.ready("api", [])
        service.restarts = 5
        service.since = Recorded.now - 1000
        service.exitCode = 137
        let found = Recorded.findings(service)
        #expect(found.map(\.code) == ["killed"])
        #expect(found.map(\.severity) == [.warning])
        service.since = Recorded.now - 3_600_000
        #expect(Recorded.findings(service).isEmpty)
    }

    @Test func whatIsStoppedOrJustStartingIsNoFault() {
        var service = Recorded.ready("api")
        service.state = .stopped
        let stopped = Diagnosis.findings(Recorded.facts([service], state: .stopped))
        service.state = .starting
        service.since = Recorded.now - 500
        let starting = Diagnosis.findings(Recorded.facts([service], state: .provisioning))
        #expect(stopped.isEmpty)
        #expect(starting.isEmpty)
        service.since = Recorded.now - 5000
        let slow = Diagnosis.findings(Recorded.facts([service], state: .provisioning))
        #expect(slow.allSatisfy { $0.severity < .error })
        #expect(slow.count == 1)
    }

    @Test func aServiceThatDropsItsContextIsNamed() throws {
        var service = Recorded.ended("checkout", [])
        service.state = .ready
        service.message = nil
        var facts = Recorded.facts([service])
        facts.gateway.leaks = [
            GatewayFacts.LeakCount(caller: "checkout", service: "payments", isRestored: false, count: 3)
        ]
        let found = try #require(Diagnosis.findings(facts).first { $0.code == "context_lost" })
        #expect(found.service == "checkout" && found.severity == .warning)
        #expect(found.evidence.map(\.line) == ["checkout → payments: suspected, 3 times"])
        #expect(found.suggestions.first?.title.contains("x-msx-env, baggage, tracestate, traceparent") == true)
    }
}
