import API
import Blueprints
import EnvironmentGraph
import Orchestration
import Storage

extension EnvironmentOperations {
    /// The overlays whose lineage goes through an environment, direct and indirect, by name.
    func overlays(on named: String) async throws -> [EnvironmentView] {
        let id = try await picture(of: named).record.id
        let pictures = try await store.read { store in
            try store.environments().filter { $0.mode == .overlay && $0.id != id }
                .map { try EnvironmentPicture($0, in: store) }
                .filter { $0.lineage.environments.contains { $0.id == id } }
        }
        return pictures.map { EnvironmentView($0, board: board, edgePort: gateway.edgePort) }
    }

    func baseline(_ named: String) async throws -> EnvironmentView {
        let picture = try await picture(of: named)
        guard picture.record.mode == .baseline else {
            throw APIProblem(
                .notFound, "\(picture.record.name) is no baseline but of mode \(picture.record.mode.rawValue)",
                hint: "microstax env get \(picture.record.name)")
        }
        return .whole(picture, board: board, edgePort: gateway.edgePort)
    }

    /// Every problem of a Blueprint; over its parent where the request names one.
    func validate(_ request: CreateRequest) async throws -> ValidationView {
        do {
            let prepared = try await creation.prepare(request, mode: nil, parent: nil)
            return ValidationView(valid: true, diagnostics: prepared.warnings)
        } catch let problem as APIProblem where problem.code == .invalidBlueprint {
            return ValidationView(valid: false, diagnostics: problem.error.details ?? [])
        }
    }
}
