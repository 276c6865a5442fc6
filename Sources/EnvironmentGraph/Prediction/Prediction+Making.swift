import Blueprints

extension Prediction {
    /// - Parameters:
    ///   - lineage: the environment first.
    ///   - focus: what a person will try; empty for what differs from the parent, or everything.
    package init(_ lineage: Lineage, focus: [String] = [], observed: ObservedCalls? = nil) {
        self.init(lineage, ServiceGraph(lineage, observed: observed), focus: focus)
    }

    package init(_ lineage: Lineage, _ graph: ServiceGraph, focus: [String] = []) {
        let record = lineage.environments[0]
        // What an update took away is in focus no more.
        let focus = focus.filter { graph.nodes[$0] != nil }.sorted()
        changed =
            !focus.isEmpty
            ? focus
            : record.mode == .overlay ? record.difference.localNames.filter { graph.nodes[$0]?.isOwn == true } : nil
        let forecast = Forecast(graph, changed: changed, isFocus: !focus.isEmpty, record)
        services = graph.nodes.keys.sorted().map { forecast.service($0) }
    }
}

/// One making of a prediction.
private struct Forecast {
    let graph: ServiceGraph
    let changed: [String]?
    let isFocus: Bool
    let record: EnvironmentRecord
    /// Why each is expected to be exercised.
    private var exercised: [String: String] = [:]
    /// Why each of its own starts.
    private var starts: [String: String] = [:]

    init(_ graph: ServiceGraph, changed: [String]?, isFocus: Bool, _ record: EnvironmentRecord) {
        self.graph = graph
        self.changed = changed
        self.isFocus = isFocus
        self.record = record
        if let changed { follow(changed) } else { takeEverything() }
        start()
    }

    func service(_ name: String) -> Prediction.Service {
        let node = graph.nodes[name]
        let isOwn = node?.isOwn == true
        let isExercised = exercised[name] != nil
        let started: Prediction.Verdict = record.mode == .overlay ? .local : .eager
        let verdict: Prediction.Verdict = !isOwn ? .inherited : starts[name] != nil ? started : .cold
        var reason = starts[name] ?? exercised[name] ?? ""
        if verdict == .inherited {
            reason =
                exercised[name].map { "\(node?.provider.name ?? "") answers; \($0)" }
                ?? "\(node?.provider.name ?? "") answers"
        }
        if verdict == .cold { reason = cold(name, node?.spec) }
        return Prediction.Service(
            name: name, verdict: verdict, isExercised: isExercised, reason: reason, traffic: graph.traffic[name])
    }

    // MARK: What is exercised

    private mutating func takeEverything() {
        let why =
            record.mode == .baseline
            ? "a baseline runs everything" : "nothing says what will be tried, so everything starts"
        for name in graph.nodes.keys { exercised[name] = why }
    }

    private mutating func follow(_ changed: [String]) {
        for name in changed { exercised[name] = isFocus ? "in focus" : difference(name) }
        let sources = graph.entries + graph.actors
        let fromSources = graph.reach(from: sources)
        let towards = graph.reach(from: changed, isBackwards: true)
        for name in fromSources.keys.sorted() where towards[name] != nil && exercised[name] == nil {
            exercised[name] = onTheWay(name, fromSources, towards)
        }
        for (name, edge) in graph.reach(from: changed).sorted(by: { $0.key < $1.key }) where exercised[name] == nil {
            if let edge { exercised[name] = Self.words(edge) }
        }
        let lost = changed.filter { fromSources[$0] == nil }
        if let first = lost.first {
            for name in graph.entries where exercised[name] == nil {
                exercised[name] = "no known path leads to \(first), so any entry point may"
            }
        }
        for (name, traffic) in graph.traffic.sorted(by: { $0.key < $1.key }) where exercised[name] == nil {
            guard traffic.requests >= Prediction.fewestRequests, traffic.share >= Prediction.likelyShare,
                exercised[traffic.entry] != nil
            else { continue }
            exercised[name] = "on no path to what is tried, but most requests reach it"
        }
    }

    private func difference(_ name: String) -> String {
        let entry = record.difference.entry(of: name)
        let kind = entry?.kind ?? .changed
        if [.follows, .carried].contains(kind) { return entry?.reasons.joined(separator: ", ") ?? "" }
        let reasons = entry?.reasons.joined(separator: ", ") ?? ""
        return reasons.isEmpty ? kind.rawValue : "\(kind.rawValue): \(reasons)"
    }

    private func onTheWay(_ name: String, _ from: [String: ServiceGraph.Edge?], _ to: [String: ServiceGraph.Edge?])
        -> String
    {
        var (first, last) = (name, name)
        while case .some(.some(let edge)) = from[first] { first = edge.from }
        while case .some(.some(let edge)) = to[last] { last = edge.to }
        if first == name {
            return graph.entries.contains(name) ? "requests to \(last) come in here" : "calls \(last) by itself"
        }
        return "on the way from \(first) to \(last)"
    }

    /// What an edge is to where it leads.
    private static func words(_ edge: ServiceGraph.Edge) -> String {
        switch edge.origins[0] {
        case .declared: "\(edge.from) depends on it"
        case .reference: "\(edge.from) refers to it"
        case .inferred: "\(edge.from) has its address"
        case .observed: "\(edge.from) called it"
        }
    }

    // MARK: What starts

    private mutating func start() {
        for (name, node) in graph.nodes where node.isOwn && node.spec.activation != .onDemand {
            if let why = exercised[name] { starts[name] = why }
            if node.spec.activation == .eager { starts[name] = "activation: eager" }
        }
        for name in graph.actors where starts[name] == nil && isFree(name) {
            starts[name] = "nobody is known to call it, so nothing would wake it"
        }
        pullIn()
        // What no request can wake, and nothing that wakes brings along.
        while let name = sleepers().first {
            starts[name] = "nothing would wake it"
            pullIn()
        }
    }

    /// It may be started: it runs here, and nobody said otherwise.
    private func isFree(_ name: String) -> Bool {
        graph.nodes[name].map { $0.isOwn && $0.spec.activation != .onDemand } ?? false
    }

    /// What starts brings along what it needs.
    private mutating func pullIn() {
        var open = starts.keys.sorted()
        while let name = open.popLast() {
            for edge in graph.needs(of: name) where starts[edge.to] == nil && isFree(edge.to) {
                let isDeclared = edge.origins.contains(.declared)
                let port = graph.nodes[edge.to]?.spec.ports.isEmpty == true ? "has no port" : "is reached over TCP"
                starts[edge.to] = isDeclared ? "\(name) depends on it" : "\(name) needs it, and it \(port)"
                open.append(edge.to)
            }
        }
    }

    private func sleepers() -> [String] {
        let asleep = graph.nodes.filter { isFree($0.key) && starts[$0.key] == nil }
        var woken = Set(asleep.filter { $0.value.spec.isWakeable }.keys)
        // What is started on demand wakes with what it needs.
        woken.formUnion(graph.nodes.filter { $0.value.isOwn && $0.value.spec.activation == .onDemand }.keys)
        var open = Array(woken)
        while let name = open.popLast() {
            for edge in graph.needs(of: name) where woken.insert(edge.to).inserted { open.append(edge.to) }
        }
        return asleep.keys.filter { !woken.contains($0) }.sorted()
    }

    private func cold(_ name: String, _ spec: ServiceSpec?) -> String {
        guard let spec, spec.activation != .onDemand else { return "activation: onDemand" }
        let others = changed?.joined(separator: ", ") ?? ""
        if spec.isWakeable { return "on no path to \(others); its first request wakes it" }
        let callers = graph.edges.filter { $0.to == name && starts[$0.from] == nil }.map(\.from)
        return "only \(callers.joined(separator: ", ")) \(callers.count == 1 ? "needs" : "need") it; it wakes with that"
    }
}
