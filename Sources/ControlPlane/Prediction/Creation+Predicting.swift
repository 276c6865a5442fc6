import API
import Blueprints
import EnvironmentGraph
import Orchestration
import Storage

extension Creation {
    /// Decides what of it starts, by what is to be tried and what was seen.
    func predicting(_ prepared: Prepared, focus: [String]) async throws -> Prepared {
        var prepared = prepared
        try Self.check(focus, prepared)
        prepared.record.focus = focus
        let (lineage, now) = (prepared.lineage, outside.now())
        let observed = try await store.read { try $0.observedCalls(for: lineage, now: now) }
        let prediction = Prediction(lineage, focus: focus, observed: observed)
        prepared.record.settle(prediction)
        prepared.prediction = prediction
        prepared.execution.steps = Planner.create(prepared.record).steps.map { StepRecord(plan: $0) }
        let above = lineage.environments.dropFirst()
        guard let settled = Lineage(of: prepared.record, find: { id in above.first { $0.id == id } }) else {
            throw APIProblem(.internalError, "the lineage of \(prepared.record.name) is broken")
        }
        prepared.lineage = settled
        return prepared
    }

    private static func check(_ focus: [String], _ prepared: Prepared) throws {
        guard !focus.isEmpty else { return }
        guard prepared.record.mode != .baseline else {
            throw APIProblem(
                .invalidRequest, "a baseline runs everything, as overlays of anybody stand on it",
                hint: "leave the focus out, or create an isolated environment")
        }
        let names = prepared.lineage.services.filter { prepared.lineage.resolve($0).provider != nil }
        for name in focus where !names.contains(name) {
            throw APIProblem(
                .invalidRequest, "there is no service \(shortened(name)) to focus on",
                hint: "there is: \(names.joined(separator: ", "))")
        }
    }
}

extension Update {
    /// Decides anew what starts; what ran goes on running.
    func settle(_ wanted: inout EnvironmentRecord, before: EnvironmentRecord, in store: any StoreReading) throws {
        guard let lineage = try Lineage(of: wanted, find: { try store.environment($0) }) else { return }
        let observed = try store.observedCalls(for: lineage, now: creation.outside.now())
        wanted.settle(Prediction(lineage, focus: wanted.focus, observed: observed), before: before)
    }
}
