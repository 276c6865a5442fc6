import Blueprints
import EnvironmentGraph
import Testing

/// However it became known that one service reaches another, it counts the same.
@Suite struct ReachTests {
    enum Way: CaseIterable, Sendable {
        case declared, reference, address, bareHost, list
    }

    /// Edges go from higher to lower numbers, so nothing is let go of.
    private static func text(
        _ ways: [[Way?]], tcp: Set<Int>, changed: Int? = nil, name: String = "x"
    ) -> String {
        var text = "name: \(name)\nservices:\n"
        for (from, row) in ways.enumerated() {
            var declared: [String] = []
            var env: [String] = []
            for (to, way) in row.enumerated() {
                switch way {
                case nil: break
                case .declared: declared.append("s\(to)")
                case .reference: env.append("K\(to): \"x://${services.s\(to).address}/y\"")
                case .address: env.append("K\(to): x://u:p@s\(to)/y")
                case .bareHost: env.append("K\(to)_HOST: s\(to)")
                case .list: env.append("K\(to): \"elsewhere:80,s\(to):80\"")
                }
            }
            let port = tcp.contains(from) ? "80/tcp" : "80"
            text += "  s\(from): {image: i:\(changed == from ? 2 : 1), ports: [\"\(port)\"],"
            text += " dependsOn: [\(declared.joined(separator: ", "))], env: {\(env.joined(separator: ", "))}}\n"
        }
        return text
    }

    private static func document(_ text: String) throws -> BlueprintDocument {
        let (document, problems) = Blueprint.read(Array(text.utf8), file: "f.yaml", folder: "/")
        try #require(problems.isEmpty)
        return try #require(document)
    }

    @Test(arguments: [UInt64(1), 2, 3, 4])
    func waysToReachAreAlike(seed: UInt64) throws {
        var state = seed
        func below(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        for round in 0..<250 {
            let count = 2 + below(5)
            let edges = (0..<count).map { from in (0..<count).map { to in to < from && below(2) == 0 } }
            let tcp = Set((0..<count).filter { _ in below(2) == 0 })
            let changed = below(count)
            func ways(_ one: Way?) -> [[Way?]] {
                edges.map { row in row.map { $0 ? one ?? Way.allCases[below(Way.allCases.count)] : nil } }
            }
            var expected: [String]?
            var reached: [Set<String>]?
            for way in [Way.declared, .reference, .address, .bareHost, nil] {
                let ways = ways(way)
                let parent = try Self.document(Self.text(ways, tcp: tcp))
                let base = try #require(Blueprint.check(parent, mode: .baseline, unbuilt: .warning).spec)
                let overlay = try Self.document("name: o\nservices: {s\(changed): {image: \"i:2\"}}")
                let mine = try #require(
                    Blueprint.check(overlay, over: parent, mode: .overlay, unbuilt: .warning).spec)
                let difference = Difference.between(request: mine, parent: base)
                let kinds = difference.entries.map { "\($0.service) \($0.kind.rawValue)" }
                let found = mine.services.map(\.reachedServices)
                let order = mine.services.map { Set($0.dependsOn.map(\.service)) }
                #expect(order == found, "seed \(seed), round \(round)")
                #expect(kinds == expected ?? kinds, "seed \(seed), round \(round), \(String(describing: way))")
                #expect(found == reached ?? found, "seed \(seed), round \(round), \(String(describing: way))")
                (expected, reached) = (kinds, found)
            }
        }
    }

    @Test func aServiceThatIsAddedIsReachedByWhoNamesIt() throws {
        let parent = try Self.document("name: x\nservices: {a: {image: \"a:1\", env: {U: \"new:80\"}}}")
        let base = try #require(Blueprint.check(parent, mode: .baseline, unbuilt: .warning).spec)
        for (port, kind) in [("80", Difference.Kind.inherited), ("80/tcp", .follows)] {
            let overlay = try Self.document("name: o\nservices: {new: {image: \"n:1\", ports: [\"\(port)\"]}}")
            let mine = try #require(Blueprint.check(overlay, over: parent, mode: .overlay, unbuilt: .warning).spec)
            let entries = Difference.between(request: mine, parent: base).entries
            #expect(entries.map(\.kind) == [kind, .added])
        }
    }
}
