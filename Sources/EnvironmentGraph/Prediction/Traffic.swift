/// How much of what came in at an entry point went on to a service.
package struct Traffic: Sendable, Hashable, Codable {
    /// The entry point that most of it came through.
    package var entry: String
    /// Requests from outside to that entry point.
    package var requests: UInt64
    /// Calls of the service that followed from them, by proportion: a caller's calls belong to whoever called the caller, each
    /// by its share. A request that calls twice counts twice.
    package var calls: Double
    /// When the service was last called; milliseconds since 1970, UTC.
    package var lastAt: Int64

    package init(entry: String, requests: UInt64, calls: Double, lastAt: Int64) {
        self.entry = entry
        self.requests = requests
        self.calls = calls
        self.lastAt = lastAt
    }

    /// At most 1.
    package var share: Double { requests == 0 ? 0 : min(1, calls / Double(requests)) }

    /// Of every service that was called.
    package static func flows(in observed: ObservedCalls) -> [String: Traffic] {
        let edges = observed.edges.filter { $0.count > 0 }
        var into: [String: Double] = [:]
        var last: [String: Int64] = [:]
        for edge in edges {
            into[edge.callee, default: 0] += Double(edge.count)
            last[edge.callee] = max(last[edge.callee] ?? 0, edge.lastAt)
        }
        var found: [String: Traffic] = [:]
        for entry in edges where entry.caller == nil {
            for (service, calls) in flow(from: entry, edges, into) where calls > 0 {
                if let other = found[service], (other.calls, entry.callee) >= (calls, other.entry) { continue }
                found[service] = Traffic(
                    entry: entry.callee, requests: entry.count, calls: calls, lastAt: last[service] ?? 0)
            }
        }
        return found
    }

    /// Rounds of carrying calls on: as deep as callers stand one behind the other. In a circle less goes on each time.
    private static let depth = 32

    private static func flow(
        from entry: ObservedCalls.Edge, _ edges: [ObservedCalls.Edge], _ into: [String: Double]
    ) -> [String: Double] {
        var flow = [entry.callee: Double(entry.count)]
        for _ in 0..<depth {
            var next = [entry.callee: Double(entry.count)]
            for edge in edges {
                guard let caller = edge.caller, let calls = flow[caller], let all = into[caller], all > 0 else {
                    continue
                }
                next[edge.callee, default: 0] += calls * Double(edge.count) / all
            }
            if next == flow { break }
            flow = next
        }
        return flow
    }
}
