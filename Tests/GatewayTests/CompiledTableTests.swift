import EnvironmentGraph
import Foundation
import Testing

@testable import Gateway

@Suite struct CompiledTableTests {
    /// A baseline with 50 services and `count` overlays on it that each change one.
    private func table(overlays count: Int) -> CompiledTable {
        let baseline = EnvironmentID(rawValue: "env-base")
        var environments = [
            RoutedEnvironment(
                id: baseline, name: "base", revision: 1, state: .serving,
                services: (0..<50).map { Shop.service("service-\($0)", 1000 + $0) })
        ]
        for number in 0..<count {
            environments.append(
                RoutedEnvironment(
                    id: EnvironmentID(rawValue: "env-\(number)"), name: "overlay-\(number)", revision: 1,
                    state: .serving, overlayID: "feat-\(number)", parent: baseline,
                    services: [Shop.service("service-7", 20_000 + number % 40_000)]))
        }
        return CompiledTable(RoutingTable(version: 1, environments: environments), after: nil)
    }

    private func provider(_ table: CompiledTable, _ context: String, _ service: String) -> String? {
        Array(context.utf8).withUnsafeBytes { context in
            Array(service.utf8).withUnsafeBytes { service in
                guard let environment = table.environment(ofContext: context, root: 0),
                    case .found(let copy) = table.resolve(service, in: environment)
                else { return nil }
                return String(decoding: copy.providerLine, as: UTF8.self)
            }
        }
    }

    @Test func everyOneOfTenThousandIsFound() {
        let table = table(overlays: 10_000)
        for number in 0..<10_000 {
            #expect(
                provider(table, "feat-\(number)", "service-7") == "x-msx-provider: service-7@overlay-\(number)#r1\r\n")
            #expect(provider(table, "feat-\(number)", "service-8") == "x-msx-provider: service-8@base#r1\r\n")
        }
        #expect(provider(table, "feat-10000", "service-7") == nil)
        #expect(provider(table, "feat-1", "service-50") == nil)
    }

    /// The number of steps is what must not grow; time is measured by the bench.
    @Test func lookingUpDoesNotGrowWithTheTable() {
        var map = ByteMap()
        for number in 0..<20_000 { map.insert(UInt32(number % 7), "name-\(number)", number) }
        var longest = 0
        var total = 0
        for number in 0..<20_000 {
            let steps = map.steps(UInt32(number % 7), Array("name-\(number)".utf8))
            longest = max(longest, steps)
            total += steps
        }
        #expect(Double(total) / 20_000 < 2)
        #expect(longest < 64)
    }

    @Test func lineagesThatAreBrokenEnd() {
        func environment(_ name: String, _ parent: String?) -> RoutedEnvironment {
            RoutedEnvironment(
                id: EnvironmentID(rawValue: name), name: name, revision: 1, state: .serving, overlayID: "o-" + name,
                parent: parent.map { EnvironmentID(rawValue: $0) })
        }
        let environments = [
            environment("a", "b"), environment("b", "c"), environment("c", "a"), environment("d", "gone"),
            environment("e", "d"),
        ]
        let compiled = CompiledEnvironment.compile(
            environments, StampBook(environments.map(\.id), after: nil))
        #expect(Set(compiled[0...2].map(\.root)).count == 1)
        #expect(compiled[3].root == 3)
        #expect(compiled[4].root == 3)
        let table = CompiledTable(
            RoutingTable(environments: [environment("a", "b"), environment("b", "a")]), after: nil)
        Array("x".utf8).withUnsafeBytes { name in
            guard case .unknown = table.resolve(name, in: 0) else {
                Issue.record("a circle has no such service")
                return
            }
        }
    }

    @Test func countsAreBoundedAndKeepTheirNamesOverTables() {
        let table = table(overlays: 3)
        var book = CountBook(maxKeys: 2)
        func key(_ context: Int32) -> CountKey {
            CountKey(listener: -1, environment: 0, service: 7, context: context, isProvider: true, fault: nil)
        }
        for context: Int32 in [1, 1, 2, 3] { book.add(key(context)) }
        book.fold(table)
        book.add(key(1))
        let calls = book.merged(with: table)
        #expect(calls.reduce(0) { $0 + $1.count } + book.overflow == 5)
        #expect(calls.count <= 2)
        #expect(calls.contains { $0.context == EnvironmentID(rawValue: "env-0") && $0.count >= 2 })
        #expect(calls.allSatisfy { $0.service == "service-7" && $0.caller == "edge" })
    }

    @Test func countsOfEnvironmentsThatAreGoneMakeRoom() {
        let table = table(overlays: 3)
        var book = CountBook(maxKeys: 4)
        func key(_ environment: Int32) -> CountKey {
            CountKey(
                listener: -1, environment: environment, service: -1, context: -1, isProvider: false,
                fault: .unknownService)
        }
        for environment: Int32 in [0, 1, 2] { book.add(key(environment)) }
        book.fold(table, before: self.table(overlays: 0))
        #expect(book.merged(with: table).map(\.callerEnvironment) == [table.environments[0].id])
    }
}
