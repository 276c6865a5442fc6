/// Which services called which in one environment's context, as the gateways have counted it: by day, for the last
/// ``window`` days, so that what is not called any more is forgotten.
///
/// Bounded: at most ``maxEdges`` pairs, those that were seen last.
package struct ObservedCalls: Sendable, Hashable, Codable {
    package struct Edge: Sendable, Hashable, Codable {
        /// `nil`: from outside.
        package var caller: String?
        package var callee: String
        /// Calls by day (days since 1970, UTC).
        package fileprivate(set) var days: [Int: UInt64]
        /// When the last of them was counted; milliseconds since 1970, UTC.
        package fileprivate(set) var lastAt: Int64
        /// What the gateway that ``ObservedCalls/gatewayStart`` names had counted in all when it was last asked.
        fileprivate var seen: UInt64

        package var count: UInt64 { days.values.reduce(0, +) }

        package init(caller: String?, callee: String, days: [Int: UInt64] = [:], lastAt: Int64 = 0) {
            self.caller = caller
            self.callee = callee
            self.days = days
            self.lastAt = lastAt
            seen = 0
        }
    }

    /// Days.
    package static let window = 14
    package static let maxEdges = 4096

    /// In whose context the calls were; of one that is gone, `lineage/<name>`.
    package var scope: String
    /// The name of the root of its lineage: what was seen of it is of use to another one of that name.
    package var lineage: String
    /// Sorted by caller and callee, those from outside first.
    package private(set) var edges: [Edge]
    /// When the gateway that was asked last began to count.
    private var gatewayStart: Int64?

    package init(scope: String, lineage: String, edges: [Edge] = []) {
        self.scope = scope
        self.lineage = lineage
        self.edges = edges.sorted(by: Self.precedes)
    }

    /// For what was seen of an environment that is gone.
    package static func scope(ofGone lineage: String) -> String { "lineage/\(lineage)" }

    private static func precedes(_ a: Edge, _ b: Edge) -> Bool {
        (a.caller ?? "", a.callee) < (b.caller ?? "", b.callee)
    }

    private struct Pair: Hashable {
        var caller: String?
        var callee: String
    }

    /// Takes in what a gateway has counted since it began.
    ///
    /// - Parameters:
    ///   - totals: for each pair all that it counted, whether it was taken in before or not.
    ///   - start: when the gateway began to count; another one than before has forgotten what it had counted.
    /// - Returns: whether anything was new.
    package mutating func take(
        _ totals: [(caller: String?, callee: String, count: UInt64)], countedSince start: Int64?, now: Int64
    ) -> Bool {
        var places = Dictionary(
            edges.enumerated().map { (Pair(caller: $0.element.caller, callee: $0.element.callee), $0.offset) }
        ) { $1 }
        if gatewayStart != start {
            for index in edges.indices { edges[index].seen = 0 }
            gatewayStart = start
        }
        var isNew = false
        for total in totals {
            let pair = Pair(caller: total.caller, callee: total.callee)
            let place = places[pair] ?? edges.count
            if place == edges.count {
                edges.append(Edge(caller: total.caller, callee: total.callee))
                places[pair] = place
            }
            // Less than before: the gateway has made room and counts this one anew.
            let before = edges[place].seen <= total.count ? edges[place].seen : 0
            edges[place].seen = total.count
            guard total.count > before else { continue }
            isNew = true
            edges[place].days[Self.day(now), default: 0] += total.count - before
            edges[place].lastAt = now
        }
        tidy(now)
        return isNew
    }

    /// Adds what was seen elsewhere in the same lineage.
    package mutating func add(_ other: ObservedCalls, now: Int64) {
        var joined = Dictionary(edges.map { (Pair(caller: $0.caller, callee: $0.callee), $0) }) { $1 }
        for edge in other.edges {
            let pair = Pair(caller: edge.caller, callee: edge.callee)
            var sum = joined[pair] ?? Edge(caller: edge.caller, callee: edge.callee)
            sum.days.merge(edge.days, uniquingKeysWith: +)
            sum.lastAt = max(sum.lastAt, edge.lastAt)
            joined[pair] = sum
        }
        edges = Array(joined.values)
        tidy(now)
    }

    /// Forgets what is older than the window, and the oldest where there is too much.
    package mutating func tidy(_ now: Int64) {
        let first = Self.day(now) - Self.window + 1
        for index in edges.indices where edges[index].days.keys.contains(where: { $0 < first }) {
            edges[index].days = edges[index].days.filter { $0.key >= first }
        }
        // What a gateway has told stays known as told, or it would be new the next time.
        edges.removeAll { $0.days.isEmpty && $0.seen == 0 }
        if edges.count > Self.maxEdges {
            edges.sort { ($0.lastAt, $0.count) > ($1.lastAt, $1.count) }
            edges.removeLast(edges.count - Self.maxEdges)
        }
        edges.sort(by: Self.precedes)
    }

    /// Whether nothing of it is left.
    package var isEmpty: Bool { edges.allSatisfy(\.days.isEmpty) }

    private static func day(_ time: Int64) -> Int { Int(time / 86_400_000) }
}
