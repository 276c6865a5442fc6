import API
import Blueprints
import Diagnosis
import EnvironmentGraph
import Orchestration
import Runtimes
import Storage

extension EnvironmentOperations {
    /// What is wrong with an environment, why, and what mends it.
    func diagnose(_ named: String) async throws -> DiagnosisView {
        let picture = try await picture(of: named)
        let gathering = FactsGathering(
            store: store, runtime: runtime, board: board, gateway: gateway, now: outside.now())
        let facts = try await gathering.facts(of: picture)
        let findings = Diagnosis.findings(facts)
        return DiagnosisView(
            environment: EnvironmentView(picture, board: board, edgePort: gateway.edgePort),
            healthy: !findings.contains { $0.severity == .error }, findings: findings.map { FindingView($0) },
            lookedAt: facts.lookedAt)
    }

    /// Stops one service and starts it again. Acknowledged when both were asked for: whoever gets no answer asks again,
    /// and nothing of it is left to remember.
    func restart(_ service: String, of named: String, _ call: APICall) async throws -> EnvironmentView {
        let picture = try await picture(of: named)
        let record = picture.record
        guard let spec = record.localServices.first(where: { $0.name == service }) else {
            throw APIProblem(
                .notFound, "\(record.name) does not run a service \(shortened(service)) itself",
                hint: "it runs: \(record.localServices.map(\.name).joined(separator: ", "))")
        }
        guard [.running, .degraded].contains(record.state) else {
            throw APIProblem(
                .wrongState, "\(record.name) is \(record.state.rawValue); a service is restarted in: degraded, running",
                hint: "microstax env status \(record.name)")
        }
        let last = try await store.read { try $0.lastExecution(of: record.id) }
        if let execution = last, !execution.state.isFinal {
            throw APIProblem(
                .wrongState, "\(record.name) is busy with its \(execution.kind.rawValue)",
                hint: "microstax env wait \(record.name)")
        }
        let rendering = WorkloadRendering(
            record, ports: picture.ports, secrets: try await vault.secrets(of: record.id))
        let workload = try rendering.workload(spec)
        try await runtime.stop(service, of: record.id)
        try await runtime.apply(workload)
        let (now, actor) = (outside.now(), call.actor)
        try await store.write { store in
            try store.append(
                AuditEntry(
                    time: now, actor: actor, action: call.operation.rawValue, subject: "\(record.name)/\(service)",
                    outcome: "accepted"))
        }
        board.ring(record.id)
        return try await view(of: record.id.rawValue)
    }
}
