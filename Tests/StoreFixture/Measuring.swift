import Blueprints
import EnvironmentGraph
import SQLiteStore
import Storage

/// Numbers for a person, from a release build: `store-fixture measure PATH COUNT`.
extension StoreFixture {
    static func measure(_ store: SQLiteStore, path: String, count: Int) async throws {
        let clock = ContinuousClock()
        let environments = (0..<count).map(environment)
        let saving = try await clock.measure {
            for environment in environments { try await store.write { try $0.save(environment) } }
        }
        say("save, each durable: \(saving / count)")
        store.close()

        let opened = try SQLiteStore(path: path)
        defer { opened.close() }
        for kind in ["first", "second", "third"] {
            let time = try await clock.measure { _ = try await opened.read { try $0.environments().count } }
            say("list \(count), \(kind) time: \(time)")
        }
        let one = try await clock.measure {
            for environment in environments { _ = try await opened.read { try $0.environment(environment.id) } }
        }
        say("get by id: \(one / count)")
    }

    private static func environment(_ number: Int) -> EnvironmentRecord {
        let services = ["cart", "checkout", "orders", "payments", "storefront"].map { name in
            ServiceSpec(
                name: name, command: ["/usr/bin/env", "python3", "server.py"], workdir: "/srv/shop/\(name)",
                ports: [PortSpec(name: "http", containerPort: 8080)],
                env: ["ORDERS_URL": "http://${services.orders.host}:${services.orders.port}", "RATE": "0.1"],
                dependsOn: [DependencySpec(service: "orders", origin: .reference)],
                probes: ProbesSpec(readiness: ProbeSpec(.http(path: "/ready", port: nil))))
        }
        return EnvironmentRecord(
            id: EnvironmentID(rawValue: "env-\(number)"), name: "shop-\(number)", mode: .isolated,
            spec: BlueprintSpec(name: "shop", services: services),
            difference: Difference(entries: services.map { Difference.Entry(service: $0.name, kind: .added) }),
            createdAt: Int64(number))
    }
}
