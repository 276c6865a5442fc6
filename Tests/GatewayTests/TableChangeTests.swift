import Blueprints
import EnvironmentGraph
import Testing

@testable import Gateway

/// A table that was made out of another one answers as the one that was compiled whole.
@Suite struct TableChangeTests {
    /// SplitMix64.
    private struct Numbers {
        var state: UInt64

        mutating func below(_ limit: Int) -> Int {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return Int((z ^ (z >> 31)) % UInt64(limit))
        }
    }

    private static func service(_ name: String, _ port: Int) -> RoutedService {
        RoutedService(
            name: name, exposed: true, ready: port % 5 != 0,
            ports: [RoutedPort(name: "http", transport: .http, host: "127.0.0.1", port: port)])
    }

    private static func baseline(_ number: Int) -> RoutedEnvironment {
        RoutedEnvironment(
            id: EnvironmentID(rawValue: "env-base\(number)"), name: "base\(number)", revision: 1, state: .serving,
            services: (0..<6).map { service("s\($0)", 1000 * (number + 1) + $0) })
    }

    private static func overlay(_ number: Int, _ table: RoutingTable, _ numbers: inout Numbers) -> RoutedEnvironment {
        let parent = table.environments[numbers.below(table.environments.count)].id
        return RoutedEnvironment(
            id: EnvironmentID(rawValue: "env-\(number)"), name: "overlay-\(number)", revision: 1 + numbers.below(3),
            state: .serving, overlayID: "Feat-\(number)", parent: parent,
            services: (0..<numbers.below(3)).map { service("s\($0 * 2)", 20_000 + numbers.below(1000)) },
            removed: numbers.below(4) == 0 ? ["s5"] : [])
    }

    /// One thing that a control plane does to its table.
    private static func change(_ table: inout RoutingTable, _ round: Int, _ numbers: inout Numbers) {
        let place = numbers.below(table.environments.count)
        switch numbers.below(10) {
        case 0, 1, 2, 3:
            let one = overlay(1000 + round, table, &numbers)
            table.environments.append(one)
            table.listeners.append(
                RoutedListener(port: 2000 + round, environment: one.id, caller: .service("s0"), service: "s1"))
        case 4, 5:
            let id = table.environments[place].id
            guard !table.environments.contains(where: { $0.parent == id }), table.environments.count > 3 else { return }
            table.environments.remove(at: place)
            table.listeners.removeAll { $0.environment == id }
        case 6: table.environments[place].revision += 1
        case 7:
            for index in table.environments[place].services.indices {
                table.environments[place].services[index].ready.toggle()
                table.environments[place].services[index].ports[0].port += 1
            }
        case 8: table.environments[place].removed = table.environments[place].removed.isEmpty ? ["s5"] : []
        default:
            if numbers.below(4) == 0 { table.environments[place].headerName = "x-other-\(round)" }
            table.environments[place].state = numbers.below(2) == 0 ? .serving : .starting
        }
    }

    /// Everything that a request can find, in words.
    private static func answers(_ table: CompiledTable, _ routed: RoutingTable) -> [String] {
        var lines: [String] = ["\(table.version) \(table.environmentCount)"]
        func bytes<Answer>(_ text: String, _ body: (UnsafeRawBufferPointer) -> Answer) -> Answer {
            Array(text.utf8).withUnsafeBytes(body)
        }
        func name(_ position: Int?) -> String { position.map { table.environments[$0].name } ?? "-" }
        for environment in routed.environments {
            let found = bytes(environment.name) { table.environment(named: $0) }
            guard let found, let position = table.position(of: environment.id), found == position else {
                lines.append("\(environment.name) is not found")
                continue
            }
            let compiled = table.environments[position]
            lines.append(
                "\(name(position)) r\(compiled.revision) \(compiled.state) parent \(name(compiled.parent)) root \(name(compiled.root))"
                    + " header \(String(decoding: compiled.settings.headerName, as: UTF8.self))"
                    + " stamped \(name(table.environment(stamped: compiled.stamp)))")
            lines.append(
                "context \(name(bytes((environment.overlayID ?? "none").uppercased()) { table.environment(ofContext: $0, root: compiled.root) }))"
            )
            for service in 0..<7 {
                switch bytes("s\(service)", { table.resolve($0, in: position) }) {
                case .found(let copy):
                    let endpoint = copy.endpoint(portName: nil, wantsHTTP: true)
                    lines.append(
                        "s\(service) \(copy.ready) \(endpoint?.port ?? 0) \(String(decoding: copy.providerLine, as: UTF8.self))"
                            + "\(table.services[copy.number] === copy) \(name(copy.environment))")
                case .removed: lines.append("s\(service) removed")
                case .unknown: lines.append("s\(service) unknown")
                }
            }
        }
        for listener in routed.listeners {
            let found = table.listeners[listener.port]
            lines.append(
                "\(listener.port) \(name(found?.environment)) \(found?.caller ?? "-") \(found?.service ?? "-")"
                    + " \(found.map { table.numberedListeners[$0.number] === $0 } ?? false)")
        }
        return lines
    }

    @Test func aChangedTableAnswersAsOneThatWasCompiledWhole() throws {
        var numbers = Numbers(state: 20_261_121)
        var changed = 0
        for _ in 0..<20 {
            var routed = RoutingTable(version: 1, environments: (0..<3).map(Self.baseline))
            for number in 0..<12 { routed.environments.append(Self.overlay(number, routed, &numbers)) }
            var table = CompiledTable(routed, after: nil)
            for round in 0..<60 {
                let before = routed
                for step in 0...numbers.below(2) { Self.change(&routed, round * 3 + step, &numbers) }
                routed.version += 1
                guard Set(routed.listeners.map(\.port)).count == routed.listeners.count,
                    Set(routed.environments.map(\.id)).count == routed.environments.count,
                    let delta = routed.delta(since: before)
                else {
                    table = CompiledTable(routed, after: table)
                    continue
                }
                let applied = try #require(before.applying(delta))
                let whole = CompiledTable(applied, after: table)
                guard let next = CompiledTable(delta, to: table) else {
                    table = whole
                    continue
                }
                changed += 1
                let answers = Self.answers(next, applied)
                let wanted = Self.answers(whole, applied)
                try #require(answers == wanted)
                // Whoever is gone is found by nothing.
                for gone in delta.removed {
                    #expect(!next.has(gone))
                    #expect(next.environment(keyed: gone.key) == nil)
                }
                // Numbers last longer than tables, in either way.
                for id in applied.environments.map(\.id) where table.has(id) {
                    let stamp = table.position(of: id).map { table.environments[$0].stamp }
                    #expect(next.position(of: id).map { next.environments[$0].stamp } == stamp)
                    #expect(whole.position(of: id).map { whole.environments[$0].stamp } == stamp)
                    #expect(next.environment(keyed: id.key) == next.position(of: id))
                }
                table = next
            }
        }
        #expect(changed > 600, "\(changed)")
    }

    @Test func endpointsAndServingsStayWhatTheyWere() throws {
        var routed = RoutingTable(version: 1, environments: [Self.baseline(0)])
        routed.listeners = [
            RoutedListener(port: 2000, environment: routed.environments[0].id, caller: .service("s1"), service: "s2")
        ]
        let first = CompiledTable(routed, after: nil)
        let before = routed
        routed.version = 2
        routed.environments[0].services[1].ready.toggle()
        routed.environments += (0..<3).map { number in
            RoutedEnvironment(
                id: EnvironmentID(rawValue: "env-o\(number)"), name: "o\(number)", revision: 1, state: .serving,
                overlayID: "o\(number)", parent: routed.environments[0].id, services: [Self.service("s1", 1001)])
        }
        // So many new ones would be told as a whole table.
        routed.environments += (1..<5).map(Self.baseline)
        var delta = RoutingDelta.between(before, routed)
        let second = try #require(CompiledTable(delta, to: first))
        func copy(_ table: CompiledTable, _ environment: Int) -> CompiledService? {
            guard case .found(let copy) = Array("s1".utf8).withUnsafeBytes({ table.resolve($0, in: environment) })
            else {
                return nil
            }
            return copy
        }
        let old = try #require(copy(first, 0))
        let new = try #require(copy(second, 0))
        #expect(old !== new && old.serving === new.serving)
        #expect(old.ports[0].endpoints[0].number == new.ports[0].endpoints[0].number)
        #expect(second.listeners[2000]?.callerServing === new.serving)
        let overlay = try #require(second.position(of: EnvironmentID(rawValue: "env-o0")))
        #expect(copy(second, overlay)?.ports[0].endpoints[0].number != new.ports[0].endpoints[0].number)
        #expect(copy(second, overlay)?.serving !== new.serving)
        delta.base = 7
        #expect(CompiledTable(delta, to: second) == nil)
    }

    @Test func whatOthersDependOnIsCompiledWhole() {
        let before = RoutingTable(
            version: 1,
            environments: [
                Self.baseline(0),
                RoutedEnvironment(
                    id: EnvironmentID(rawValue: "env-o"), name: "o", revision: 1, state: .serving, overlayID: "o",
                    parent: EnvironmentID(rawValue: "env-base0")),
            ])
        let table = CompiledTable(before, after: nil)
        func isChanged(_ edit: (inout RoutingTable) -> Void) -> Bool {
            var after = before
            after.version = 2
            edit(&after)
            return CompiledTable(RoutingDelta.between(before, after), to: table) != nil
        }
        let revision = isChanged { $0.environments[0].revision = 2 }
        let header = isChanged { $0.environments[0].headerName = "x-other" }
        let parentGone = isChanged { $0.environments.remove(at: 0) }
        let sameName = isChanged { $0.environments.append(Self.baseline(0)) }
        let ownParent = isChanged { $0.environments[1].parent = $0.environments[1].id }
        let nobody = isChanged { $0.environments[1].parent = EnvironmentID(rawValue: "env-gone") }
        #expect(revision)
        #expect([header, parentGone, sameName, ownParent, nobody].allSatisfy { !$0 })
    }
}

extension RoutingDelta {
    /// Also where most of it is another.
    fileprivate static func between(_ old: RoutingTable, _ new: RoutingTable) -> RoutingDelta {
        let filler = (0..<100).map {
            RoutedEnvironment(id: EnvironmentID(rawValue: "filler\($0)"), name: "f", revision: 1, state: .serving)
        }
        var (before, after) = (old, new)
        before.environments += filler
        after.environments += filler
        // Ids are told apart before this is asked for.
        return after.delta(since: before)
            ?? RoutingDelta.twice(old, new)
    }

    /// One environment twice, which no control plane says.
    private static func twice(_ old: RoutingTable, _ new: RoutingTable) -> RoutingDelta {
        var after = new
        let extra = after.environments.removeLast()
        var delta = between(old, after)
        delta.environments += [extra]
        delta.environments[delta.environments.count - 1].id = EnvironmentID(rawValue: "twice")
        return delta
    }
}
