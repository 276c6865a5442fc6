import Blueprints
import Testing

@testable import EnvironmentGraph

@Suite struct RoutingDeltaTests {
    /// A table whose parts are drawn from few, so that two of them share a lot.
    private func table(_ random: inout SystemRandomNumberGenerator, version: UInt64) -> RoutingTable {
        let environments = (0..<40).filter { _ in Int.random(in: 0..<8, using: &random) > 0 }.map { number in
            RoutedEnvironment(
                id: EnvironmentID(rawValue: "env-\(number)"), name: "e\(number)",
                revision: Int.random(in: 0..<10, using: &random) == 0 ? 2 : 1, state: .serving,
                services: [
                    RoutedService(
                        name: "a", exposed: true, ready: Int.random(in: 0..<12, using: &random) > 0,
                        ports: [RoutedPort(name: "http", transport: .http, host: "127.0.0.1", port: 1000 + number)])
                ])
        }
        let listeners = environments.map { environment in
            RoutedListener(
                port: 2000 + environment.services[0].ports[0].port, environment: environment.id, caller: .edge,
                service: Int.random(in: 0..<10, using: &random) == 0 ? "b" : "a")
        }
        return RoutingTable(
            version: version, environments: environments.shuffled(using: &random),
            listeners: listeners.shuffled(using: &random))
    }

    @Test func aDeltaMakesTheOneOutOfTheOther() throws {
        var random = SystemRandomNumberGenerator()
        var smaller = 0
        for _ in 0..<200 {
            let (old, new) = (table(&random, version: 3), table(&random, version: 4))
            guard let delta = new.delta(since: old) else { continue }
            let made = try #require(old.applying(delta))
            #expect(made.version == 4)
            #expect(Set(made.environments) == Set(new.environments))
            #expect(made.environments.count == new.environments.count)
            #expect(Set(made.listeners) == Set(new.listeners) && made.listeners.count == new.listeners.count)
            if delta.environments.count < new.environments.count { smaller += 1 }
        }
        #expect(smaller > 100)
    }

    @Test func nothingChangedIsNearlyNothing() throws {
        var random = SystemRandomNumberGenerator()
        let old = table(&random, version: 3)
        var new = old
        new.version = 9
        let delta = try #require(new.delta(since: old))
        #expect(delta.environments.isEmpty && delta.removed.isEmpty && delta.listeners.isEmpty && delta.closed.isEmpty)
        #expect(old.applying(delta) == new)
    }

    @Test func itFitsNoOtherTableAndLeavesOrderToWholeOnes() throws {
        var random = SystemRandomNumberGenerator()
        let old = table(&random, version: 3)
        var new = old
        new.version = 4
        var other = old
        other.version = 2
        let delta = try #require(new.delta(since: old))
        #expect(other.applying(delta) == nil)
        // Of two on one port the first counts.
        new.listeners.append(new.listeners[0])
        new.listeners[new.listeners.count - 1].service = "twice"
        #expect(new.delta(since: old) == nil)
        var empty = old
        empty.environments = []
        #expect(new.delta(since: empty) == nil)
    }
}
