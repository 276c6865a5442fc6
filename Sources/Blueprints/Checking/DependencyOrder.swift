/// Decides which dependencies order the start of services, so that they form no cycle.
///
/// Kahn's algorithm; where it is stuck, a cycle is looked for among what is left. In a cycle that has a reference, the
/// reference is let go: the address is the gateway's and known before anything starts, so nothing has to wait for it.
/// A cycle of declared dependencies only cannot be kept and is an error. The outcome does not depend on the order in
/// which services or dependencies are written.
struct DependencyOrder {
    struct Edge: Hashable {
        var from: String
        var to: String
        var origin: DependencySpec.Origin
    }

    struct Cycle {
        /// `a`, `b`, `a`.
        var path: [String]
        /// What was let go of.
        var edge: Edge
        /// None of its edges could be let go without breaking what the Blueprint says.
        var isDeclared: Bool
    }

    private(set) var cycles: [Cycle] = []
    private(set) var dropped: Set<Edge> = []

    init(_ edges: [Edge]) {
        var waits: [String: [String: Edge]] = [:]
        var dependents: [String: Set<String>] = [:]
        for edge in edges {
            waits[edge.from, default: [:]][edge.to] = edge
            waits[edge.to, default: [:]] = waits[edge.to] ?? [:]
            dependents[edge.to, default: []].insert(edge.from)
        }
        var free = waits.filter { $0.value.isEmpty }.map(\.key)
        while true {
            while let done = free.popLast() {
                waits[done] = nil
                for dependent in dependents[done] ?? [] where waits[dependent]?.removeValue(forKey: done) != nil {
                    if waits[dependent]?.isEmpty ?? false { free.append(dependent) }
                }
            }
            guard let start = waits.keys.min() else { break }
            let cycle = Self.cycle(from: start, waits)
            cycles.append(cycle)
            dropped.insert(cycle.edge)
            waits[cycle.edge.from]?[cycle.edge.to] = nil
            if waits[cycle.edge.from]?.isEmpty ?? false { free.append(cycle.edge.from) }
        }
    }

    /// Everything left waits for something, so walking along what is waited for comes back to where it was.
    private static func cycle(from start: String, _ waits: [String: [String: Edge]]) -> Cycle {
        var walk: [Edge] = []
        var places: [String: Int] = [:]
        var current = start
        while places[current] == nil {
            places[current] = walk.count
            // What is left has something to wait for, else it would have been free.
            guard let edge = waits[current]?.min(by: { $0.key < $1.key })?.value else { break }
            walk.append(edge)
            current = edge.to
        }
        var loop = Array(walk[(places[current] ?? 0)...])
        // The same cycle reads the same wherever the walk came in.
        if let first = loop.indices.min(by: { loop[$0].from < loop[$1].from }) {
            loop = Array(loop[first...] + loop[..<first])
        }
        let soft = loop.last { $0.origin == .inferred } ?? loop.last { $0.origin == .reference }
        let edge = soft ?? loop[loop.count - 1]
        return Cycle(path: loop.map(\.from) + [loop[0].from], edge: edge, isDeclared: soft == nil)
    }
}
