import Blueprints
import EnvironmentGraph

/// The shop that most tests of the graph look at.
enum Samples {
    static let web = PortSpec(name: "http", transport: .http)
    static let tcp = PortSpec(name: "tcp", transport: .tcp)

    static func service(
        _ name: String, ports: [PortSpec] = [web], env: [String: String] = [:], needs: [String] = [],
        expose: Bool = false, command: [String] = ["run"]
    ) -> ServiceSpec {
        ServiceSpec(
            name: name, command: command, ports: ports, env: env, expose: expose,
            dependsOn: needs.map { DependencySpec(service: $0, origin: .reference) })
    }

    static let shop = BlueprintSpec(
        name: "shop",
        services: [
            service("storefront", env: ["C": "${services.checkout.url}"], needs: ["checkout"], expose: true),
            service(
                "checkout", env: ["P": "${services.payments.url}", "O": "${services.orders.url}"],
                needs: ["payments", "orders"]),
            service("payments"),
            service("orders", env: ["DB": "${services.orders-db.address}"], needs: ["orders-db"]),
            service("reports", env: ["DB": "${services.orders-db.address}"], needs: ["orders-db"]),
            service("orders-db", ports: [tcp]),
        ])

    static func changing(_ name: String, in spec: BlueprintSpec = shop, as overlay: String = "feat") -> BlueprintSpec {
        var spec = spec
        spec.name = overlay
        for index in spec.services.indices where spec.services[index].name == name {
            spec.services[index].command = ["run", overlay]
        }
        return spec
    }

    static func baseline(_ spec: BlueprintSpec = shop, id: String = "env-base") -> EnvironmentRecord {
        EnvironmentRecord(
            id: EnvironmentID(rawValue: id), name: spec.name, mode: .baseline, spec: spec,
            difference: .between(request: spec, parent: nil), createdAt: 0)
    }

    static func overlay(_ spec: BlueprintSpec, on parent: EnvironmentRecord, id: String) -> EnvironmentRecord {
        EnvironmentRecord(
            id: EnvironmentID(rawValue: id), name: spec.name, mode: .overlay, spec: spec,
            difference: .between(request: spec, parent: parent.spec), overlayID: spec.name,
            parent: .init(id: parent.id, name: parent.name, revision: parent.revision), createdAt: 0)
    }
}
