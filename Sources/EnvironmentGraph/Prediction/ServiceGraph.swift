import Blueprints

/// The services of one environment and who reaches whom, however that is known.
package struct ServiceGraph: Sendable, Hashable {
    package struct Node: Sendable, Hashable {
        /// As it is where it runs.
        package var spec: ServiceSpec
        /// The environment runs it itself.
        package var isOwn: Bool
        /// Where it runs.
        package var provider: Resolution.Provider
    }

    /// How an edge became known.
    package enum Origin: String, Sendable, Hashable, Codable, Comparable {
        /// Written in `dependsOn`.
        case declared
        /// A `${services.…}` reference.
        case reference
        /// A literal address.
        case inferred
        /// The gateway has seen it.
        case observed

        private var rank: Int {
            switch self {
            case .declared: 0
            case .reference: 1
            case .inferred: 2
            case .observed: 3
            }
        }

        package static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }
    }

    package struct Edge: Sendable, Hashable {
        package var from: String
        package var to: String
        /// At least one; sorted.
        package var origins: [Origin]
        package var condition: DependencySpec.Condition?
        /// As observed.
        package var calls: UInt64?
        package var lastAt: Int64?

        /// Known from the Blueprint.
        package var isWritten: Bool { origins[0] != .observed }
    }

    /// By name.
    package let nodes: [String: Node]
    /// Sorted by where they come from and go to.
    package let edges: [Edge]
    /// Calls from outside, by service.
    package let entryCalls: [String: ObservedCalls.Edge]
    /// How much of the traffic reached each service.
    package let traffic: [String: Traffic]

    private let onward: [String: [Edge]]

    package init(_ lineage: Lineage, observed: ObservedCalls? = nil) {
        let specs = lineage.environments.map { Dictionary($0.spec.services.map { ($0.name, $0) }) { $1 } }
        var nodes: [String: Node] = [:]
        for (name, place) in lineage.places {
            guard let spec = specs[place][name] else { continue }
            nodes[name] = Node(spec: spec, isOwn: place == 0, provider: lineage.provider(at: place))
        }
        self.nodes = nodes
        edges = Self.edges(nodes, observed)
        onward = Dictionary(grouping: edges, by: \.from)
        let entries = (observed?.edges ?? []).filter { $0.caller == nil && nodes[$0.callee] != nil && $0.count > 0 }
        entryCalls = Dictionary(entries.map { ($0.callee, $0) }) { $1 }
        traffic = observed.map(Traffic.flows)?.filter { nodes[$0.key] != nil } ?? [:]
    }

    private static func edges(_ nodes: [String: Node], _ observed: ObservedCalls?) -> [Edge] {
        struct Pair: Hashable {
            var from: String
            var to: String
        }
        var found: [Pair: Edge] = [:]
        func note(_ from: String, _ to: String, _ origin: Origin, _ change: (inout Edge) -> Void = { _ in }) {
            guard from != to, nodes[from] != nil, nodes[to] != nil else { return }
            var edge = found[Pair(from: from, to: to)] ?? Edge(from: from, to: to, origins: [])
            if !edge.origins.contains(origin) { edge.origins = (edge.origins + [origin]).sorted() }
            change(&edge)
            found[Pair(from: from, to: to)] = edge
        }
        for (name, node) in nodes {
            for dependency in node.spec.dependsOn {
                note(name, dependency.service, origin(dependency.origin)) { $0.condition = dependency.condition }
            }
            // Also those that order nothing, because they would close a circle.
            for service in node.spec.addressedServices { note(name, service, .reference) }
            for service in node.spec.literalServices { note(name, service, .inferred) }
        }
        for edge in observed?.edges ?? [] where edge.count > 0 {
            guard let caller = edge.caller else { continue }
            note(caller, edge.callee, .observed) { ($0.calls, $0.lastAt) = (edge.count, edge.lastAt) }
        }
        return found.values.sorted { ($0.from, $0.to) < ($1.from, $1.to) }
    }

    private static func origin(_ origin: DependencySpec.Origin) -> Origin {
        switch origin {
        case .declared: .declared
        case .reference: .reference
        case .inferred: .inferred
        }
    }

    package func edges(from service: String) -> [Edge] { onward[service] ?? [] }

    /// Where requests come in: what is exposed, and what was called from outside.
    package var entries: [String] {
        nodes.filter { $0.value.spec.expose || entryCalls[$0.key] != nil }.map(\.key).sorted()
    }

    /// What nobody is known to reach and is no entry point: a worker, a clock. Such a one acts by itself.
    package var actors: [String] {
        let reached = Set(edges.map(\.to))
        return nodes.keys.filter { !reached.contains($0) && !entries.contains($0) }.sorted()
    }

    /// What must be there for a service to work, and does not come by itself when it is called: what it declares, and what it
    /// reaches that no request can wake.
    package func needs(of service: String) -> [Edge] {
        edges(from: service).filter { edge in
            edge.origins.contains(.declared) || (edge.isWritten && nodes[edge.to]?.spec.isWakeable == false)
        }
    }

    /// Everything that can be reached from some services, with the edge over which it is nearest; those themselves without.
    func reach(from starts: [String], isBackwards: Bool = false) -> [String: Edge?] {
        let next = isBackwards ? Dictionary(grouping: edges, by: \.to) : onward
        var found: [String: Edge?] = Dictionary(starts.map { ($0, nil) }) { $1 }
        var open = starts.sorted()
        var place = 0
        while place < open.count {
            for edge in next[open[place]] ?? [] {
                let name = isBackwards ? edge.from : edge.to
                guard found[name] == nil else { continue }
                found.updateValue(edge, forKey: name)
                open.append(name)
            }
            place += 1
        }
        return found
    }
}
