import Blueprints
import EnvironmentGraph
import Testing

/// Laws of resolving and planning, each over ten thousand cases from one seed.
@Suite struct GraphLawTests {
    private static let cases = 10_000
    private static let seed: UInt64 = 0x5EED_0008

    private static func lineage(_ chain: [EnvironmentRecord]) throws -> Lineage {
        try #require(Lineage(of: chain[0]) { id in chain.first { $0.id == id } })
    }

    /// Resolution does not depend on insertion order and always ends in exactly one provider or a named absence; the routing
    /// table's way up the lineage ends at the same place.
    @Test func resolutionEndsInOneProviderOrANamedAbsence() throws {
        for number in 0..<Self.cases {
            let seed = Self.seed &+ UInt64(number)
            var dice = Dice(seed)
            let chain = RandomSpecs.lineage(&dice)
            let lineage = try Self.lineage(chain)
            let places = lineage.places
            let shuffled = chain.map { Self.shuffled($0, &dice) }
            let other = try Self.lineage([shuffled[0]] + shuffled.dropFirst().shuffled(using: &dice))
            for service in RandomSpecs.names + ["nobody-has-it"] {
                let found = lineage.resolve(service)
                let chosen = found.candidates.filter(\.chosen)
                let isOne =
                    found.provider != nil && found.absence == nil && chosen.count == 1
                    && chosen[0].environment == found.provider?.environment
                let isNone = found.provider == nil && found.absence != nil && chosen.isEmpty
                let isSame = found == other.resolve(service)
                let asRouted = Self.routed(service, chain)
                #expect((isOne || isNone) && isSame, "\(service), seed \(seed)")
                let atOnce = places[service].map { chain[$0].id } == found.provider?.environment
                #expect(atOnce, "\(service), seed \(seed)")
                #expect(asRouted == found.provider?.environment, "\(service), seed \(seed)")
                if !(isOne || isNone) || !isSame { return }
            }
        }
    }

    private static func shuffled(_ record: EnvironmentRecord, _ dice: inout Dice) -> EnvironmentRecord {
        var record = record
        record.spec.services.shuffle(using: &dice)
        record.difference.entries.shuffle(using: &dice)
        return record
    }

    /// The rule of the routing table, written again: up, until somebody runs it or has removed it.
    private static func routed(_ service: String, _ chain: [EnvironmentRecord]) -> EnvironmentID? {
        for record in chain {
            guard let part = RoutingPart(RoutingFacts(record: record, ready: [], ports: [:], addresses: [])) else {
                return nil
            }
            if part.environment.services.contains(where: { $0.name == service }) { return record.id }
            if part.environment.removed.contains(service) { return nil }
        }
        return nil
    }

    /// What runs after a plan was carried out is what is wanted, and planning the same again does nothing.
    @Test func planningAfterApplyingGivesAnEmptyPlan() {
        for number in 0..<Self.cases {
            let seed = Self.seed &+ 100_000 &+ UInt64(number)
            var dice = Dice(seed)
            let spec = RandomSpecs.spec(&dice, services: 1 + dice.below(3))
            var record = Samples.baseline(spec)
            var world: [String: Int] = [:]
            Self.apply(Planner.create(record), &record, &world)
            #expect(Self.isAsWanted(record, world), "created, seed \(seed)")

            var next = record
            next.spec = RandomSpecs.changed(spec, as: "shop", &dice)
            next.difference = .between(request: next.spec, parent: nil)
            next.warm(dice.chance(50) ? Set(RandomSpecs.names.filter { _ in dice.chance(30) }) : [])
            let changes = Difference.between(request: next.spec, parent: record.spec)
            next.renew(Set(changes.entries.filter { $0.kind == .changed }.map(\.service)))
            let plan = Planner.update(from: record, to: next, reasons: [:], ensuresAll: dice.chance(20))
            Self.apply(plan, &next, &world)
            let isAsWanted = Self.isAsWanted(next, world)
            let again = Planner.update(from: next, to: next, reasons: [:], ensuresAll: false)
            #expect(isAsWanted && again.isEmpty, "updated, seed \(seed): \(again.steps.map(\.key))")
            if !isAsWanted || !again.isEmpty { return }
        }
    }

    /// As an orchestrator would: in the order of the steps, what each needs being done.
    private static func apply(_ plan: Plan, _ record: inout EnvironmentRecord, _ world: inout [String: Int]) {
        for step in plan.steps {
            switch step.action {
            case .startService(let instance):
                world[instance] = record.generation(of: serviceName(ofInstance: instance))
            case .initialise(let service, let index): record.initialiserIsDone(index, of: service)
            case .stopService(let instance): world[instance] = nil
            case .stopStrays:
                let wanted = Set(record.localServices.flatMap(\.instances))
                world = world.filter { wanted.contains($0.key) }
            default: break
            }
        }
        record.volumesAreMade()
    }

    private static func isAsWanted(_ record: EnvironmentRecord, _ world: [String: Int]) -> Bool {
        let wanted = record.localServices.flatMap { service in
            service.instances.map { ($0, record.generation(of: service.name)) }
        }
        return world == Dictionary(wanted) { $1 }
    }
}
