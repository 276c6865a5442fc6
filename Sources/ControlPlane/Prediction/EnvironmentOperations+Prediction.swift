import API
import Blueprints
import EnvironmentGraph
import Orchestration
import Storage

extension EnvironmentOperations {
    /// What starts with an environment, and what when it is needed.
    ///
    /// - Parameter isReview: beside what was really called.
    func plan(of named: String, isReview: Bool) async throws -> PlanView {
        let (picture, observed) = try await observedPicture(of: named)
        let (record, lineage) = (picture.record, picture.lineage)
        let prediction = Prediction(lineage, focus: record.focus, observed: observed).asDecided(for: record)
        let plan = Planner.create(record.asMade)
        var view = PlanView(
            environment: record.name, mode: record.mode.rawValue,
            fingerprint: Fingerprint(of: plan.canonicalForm).description, focus: record.focus,
            services: prediction.services.map { PlannedServiceView($0) },
            steps: plan.steps.map { StepView(StepRecord(plan: $0)) })
        if isReview {
            let own = try await store.read { try $0.observedCalls(in: record.id.rawValue) }
            view.review = ReviewView(PredictionReview(prediction, own))
        }
        return view
    }

    func graph(of named: String) async throws -> GraphView {
        let (picture, observed) = try await observedPicture(of: named)
        let (record, lineage) = (picture.record, picture.lineage)
        let graph = ServiceGraph(lineage, observed: observed)
        let prediction = Prediction(lineage, graph, focus: record.focus).asDecided(for: record)
        let services = prediction.services.compactMap { service in
            graph.nodes[service.name].map { node in
                GraphView.Service(
                    name: service.name, verdict: service.verdict.rawValue, provider: ProviderView(node.provider),
                    exposed: node.spec.expose, entry: graph.entries.contains(service.name),
                    protocols: node.spec.ports.map(\.transport.rawValue))
            }
        }
        let entries = graph.entryCalls.values.sorted { $0.callee < $1.callee }.map { edge in
            GraphView.Edge(
                from: nil, to: edge.callee, origins: ["observed"], calls: edge.count, lastAt: timestamp(edge.lastAt))
        }
        let edges = graph.edges.map { edge in
            GraphView.Edge(
                from: edge.from, to: edge.to, origins: edge.origins.map(\.rawValue),
                condition: edge.condition?.rawValue, calls: edge.calls, lastAt: edge.lastAt.map(timestamp))
        }
        return GraphView(
            environment: record.name, mode: record.mode.rawValue,
            fingerprint: Fingerprint(of: lineage.graphForm).description, services: services, edges: entries + edges)
    }

    /// With what the gateway has seen up to now, where it can be asked.
    private func observedPicture(of named: String) async throws -> (EnvironmentPicture, ObservedCalls?) {
        let picture = try await picture(of: named)
        do {
            try await calls.gather()
        } catch is APIProblem {
            // What is stored is a minute old at most; that the gateway is down is said elsewhere.
        }
        let (lineage, now) = (picture.lineage, outside.now())
        return (picture, try await store.read { try $0.observedCalls(for: lineage, now: now) })
    }
}

extension AcceptedView {
    /// With what was decided about its services.
    func predicted(_ prepared: Creation.Prepared) -> AcceptedView {
        var view = self
        view.services = prepared.prediction?.services.map { PlannedServiceView($0) }
        let plan = Plan(steps: prepared.execution.steps.map(\.plan))
        view.planFingerprint = Fingerprint(of: plan.canonicalForm).description
        return view
    }
}

extension PlannedServiceView {
    init(_ service: Prediction.Service) {
        self.init(
            service: service.name, verdict: service.verdict.rawValue, exercised: service.isExercised,
            reason: service.reason, traffic: service.traffic.map { TrafficView($0) })
    }
}

extension TrafficView {
    fileprivate init(_ traffic: Traffic) {
        self.init(
            entry: traffic.entry, requests: traffic.requests, calls: (traffic.calls * 10).rounded() / 10,
            sharePercent: (traffic.share * 1000).rounded() / 10, lastAt: timestamp(traffic.lastAt))
    }
}

extension ReviewView {
    fileprivate init(_ review: PredictionReview) {
        func rows(_ services: [PredictionReview.Service]) -> [Service] {
            services.map {
                Service(service: $0.name, calls: $0.calls, lastAt: $0.lastAt.map(timestamp), reason: $0.reason)
            }
        }
        self.init(
            requests: review.requests, predictedAndCalled: rows(review.hits),
            predictedNeverCalled: rows(review.neverCalled), calledNotPredicted: rows(review.surprises))
    }
}
