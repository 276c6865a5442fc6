import Blueprints
import EnvironmentGraph

@testable import Diagnosis

/// Facts as they were recorded, made small.
enum Recorded {
    static let now: Int64 = 1_795_201_205_000

    static func environment(
        _ services: [ServiceSpec], state: EnvironmentState = .degraded, name: String = "shop",
        mode: EnvironmentMode = .baseline, kinds: [String: Difference.Kind] = [:]
    ) -> EnvironmentRecord {
        let entries =
            services.map { Difference.Entry(service: $0.name, kind: kinds[$0.name] ?? .added) }
            + kinds.filter { kind in !services.contains { $0.name == kind.key } }
            .map { Difference.Entry(service: $0.key, kind: $0.value) }
        var record = EnvironmentRecord(
            id: EnvironmentID(rawValue: "env-\(name)"), name: name, mode: mode,
            spec: BlueprintSpec(name: name, services: services), difference: Difference(entries: entries),
            createdAt: now - 60_000)
        // The way to each state that a test wants is legal.
        for step in path(to: state) { try! record.move(to: step) }
        return record
    }

    private static func path(to state: EnvironmentState) -> [EnvironmentState] {
        switch state {
        case .error: [.provisioning, .error]
        case .stopped: [.provisioning, .running, .stopping, .stopped]
        case .provisioning: [.provisioning]
        default: [.provisioning, state]
        }
    }

    static func spec(_ name: String, env: [String: String] = [:], needs: [String] = [], port: Int? = nil) -> ServiceSpec
    {
        ServiceSpec(
            name: name, command: ["/usr/bin/\(name)"], ports: [PortSpec(name: "http", containerPort: port)], env: env,
            dependsOn: needs.map { DependencySpec(service: $0) })
    }

    /// A service that ended, having written these lines.
    static func ended(
        _ name: String, code: Int32 = 1, _ output: [String], env: [String: String] = [:], needs: [String] = []
    ) -> ServiceFacts {
        let lines = output.map { OutputLine(time: now, text: $0) }
        let end = OutputLine(time: now, isEvent: true, text: "exited with \(code)")
        return ServiceFacts(
            spec: spec(name, env: env, needs: needs), state: .failed,
            message: "exited with \(code) before it was ready, 3 times", exitCode: code, since: now - 1000,
            lastOutput: Array(output.suffix(20)), log: lines + [end], ports: [GivenPort(name: "http", number: 21004)])
    }

    static func ready(_ name: String, _ output: [String] = [], needs: [String] = []) -> ServiceFacts {
        ServiceFacts(
            spec: spec(name, needs: needs), state: .ready, pid: 7, since: now - 100_000,
            log: output.map { OutputLine(time: now, text: $0) }, ports: [GivenPort(name: "http", number: 21005)])
    }

    static func facts(_ services: [ServiceFacts], state: EnvironmentState = .degraded) -> Facts {
        Facts(now: now, environment: environment(services.map(\.spec), state: state), services: services)
    }

    static func findings(_ services: ServiceFacts...) -> [Finding] { Diagnosis.findings(facts(services)) }

    /// A create whose step failed.
    static func failed(_ action: PlannedStep.Action, _ message: String, state: StepRecord.State = .failed)
        -> ExecutionRecord
    {
        var step = StepRecord(
            plan: PlannedStep(key: "step", title: "the step", reason: "", action: action, needs: []), state: state)
        step.message = message
        var execution = ExecutionRecord(
            id: ExecutionID(rawValue: "exe-1"), environment: EnvironmentID(rawValue: "env-shop"), kind: .create,
            steps: [step], createdAt: now)
        execution.state = .failed
        return execution
    }
}
