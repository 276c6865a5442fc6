import API
import Blueprints
import Diagnosis
import EnvironmentGraph
import Orchestration
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
}
