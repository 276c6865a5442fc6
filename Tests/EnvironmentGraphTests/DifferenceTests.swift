import Blueprints
import EnvironmentGraph
import Testing

@Suite struct DifferenceTests {
    private func kinds(_ difference: Difference) -> [String: Difference.Kind] {
        difference.entries.reduce(into: [:]) { $0[$1.service] = $1.kind }
    }

    @Test func onlyWhatChangedIsLocal() {
        let difference = Difference.between(request: Samples.changing("payments"), parent: Samples.shop)
        #expect(
            kinds(difference) == [
                "payments": .changed, "storefront": .inherited, "checkout": .inherited, "orders": .inherited,
                "reports": .inherited, "orders-db": .inherited,
            ])
        #expect(difference.entries.first { $0.service == "payments" }?.reasons == ["command"])
    }

    @Test func nothingChangedIsAllInherited() {
        let difference = Difference.between(request: Samples.shop, parent: Samples.shop)
        #expect(difference.entries.allSatisfy { $0.kind == .inherited })
    }

    @Test func withoutParentAllIsAdded() {
        let difference = Difference.between(request: Samples.shop, parent: nil)
        #expect(difference.entries.allSatisfy { $0.kind == .added })
        #expect(difference.entries.map(\.service) == Samples.shop.services.map(\.name))
    }

    @Test func everyCallerOverTCPFollowsItsChangedDatabase() {
        let difference = Difference.between(request: Samples.changing("orders-db"), parent: Samples.shop)
        #expect(kinds(difference)["orders-db"] == .changed)
        #expect(kinds(difference)["orders"] == .follows)
        #expect(kinds(difference)["reports"] == .follows)
        // checkout reaches orders over HTTP, which is routed per request.
        #expect(kinds(difference)["checkout"] == .inherited)
        #expect(difference.entries.first { $0.service == "orders" }?.reasons == ["follows orders-db"])
    }

    @Test func followingIsTransitive() {
        var shop = Samples.shop
        shop.services.append(Samples.service("pool", ports: [Samples.tcp], needs: ["orders-db"]))
        shop.services.append(Samples.service("batch", env: ["P": "${services.pool.port}"], needs: ["pool"]))
        shop = BlueprintSpec(name: shop.name, services: shop.services)
        let difference = Difference.between(request: Samples.changing("orders-db", in: shop), parent: shop)
        #expect(kinds(difference)["pool"] == .follows)
        #expect(kinds(difference)["batch"] == .follows)
        #expect(difference.entries.first { $0.service == "batch" }?.reasons == ["follows pool"])
    }

    @Test func whoForgetsItsContextIsCarriedWhereThatMatters() {
        let request = Samples.changing("payments")
        let known = ["checkout": "lost it in 3 of 3 calls", "reports": "lost it in 1 of 9 calls"]
        let difference = Difference.between(request: request, parent: Samples.shop, carrying: known)
        // storefront forwards, and reports calls nothing that is local.
        #expect(difference.localNames == ["checkout", "payments"])
        let entry = difference.entries.first { $0.service == "checkout" }
        #expect(entry?.kind == .carried)
        #expect(entry?.reasons == ["forwards no context (lost it in 3 of 3 calls)"])
        // Over a service that forwards it, too.
        let both = Difference.between(
            request: request, parent: Samples.shop, carrying: ["storefront": "lost it in 1 of 1 calls"])
        #expect(both.localNames == ["payments", "storefront"])
    }

    @Test func whatIsCountedSaysWhoForgets() {
        let (base, feat, other) = ("env-base", "env-feat", "env-other")
        func call(
            _ caller: String, in environment: String, context: String?, leak: CallLeak? = nil, count: UInt64
        ) -> CallCount {
            CallCount(
                caller: caller, callerEnvironment: EnvironmentID(rawValue: environment), service: "payments",
                context: context.map { EnvironmentID(rawValue: $0) }, provider: nil, error: nil, leak: leak,
                count: count)
        }
        let counts = [
            call("checkout", in: base, context: base, leak: .suspected, count: 2),
            call("checkout", in: base, context: feat, count: 5), call("orders", in: base, context: feat, count: 7),
            call("reports", in: base, context: base, count: 9),
            call("search", in: other, context: other, leak: .suspected, count: 1),
        ]
        let lineage = Set([base, feat].map { EnvironmentID(rawValue: $0) })
        let found = counts.forgetfulCallers(in: lineage, root: EnvironmentID(rawValue: base))
        #expect(found == ["checkout": "lost it in 2 of 7 calls"])
    }

    @Test func everyCallerOverTCPFollowsItsRemovedDatabase() {
        var request = Samples.changing("storefront")
        request.services.removeAll { $0.name == "orders-db" }
        let difference = Difference.between(request: request, parent: Samples.shop)
        #expect(kinds(difference)["orders-db"] == .removed)
        #expect(kinds(difference)["orders"] == .follows)
        #expect(kinds(difference)["checkout"] == .inherited)
    }

    @Test func aRemovedServiceIsATombstone() {
        var request = Samples.changing("payments")
        request.services.removeAll { $0.name == "reports" }
        let difference = Difference.between(request: request, parent: Samples.shop)
        #expect(difference.removed == ["reports"])
        #expect(!difference.isLocal("reports"))
    }

    /// Each field by itself makes the service local and is named.
    @Test(arguments: [
        "image", "command", "args", "workdir", "build", "user", "replicas", "ports", "env.A", "secrets", "expose",
        "dependsOn", "probes", "volumes", "init", "restart", "stopSignal", "stopGraceSeconds",
    ])
    func everyFieldCounts(_ field: String) {
        var changed = Samples.shop
        let index = changed.services.firstIndex { $0.name == "payments" } ?? 0
        var service = changed.services[index]
        switch field {
        case "image": service.image = "x:1"
        case "command": service.command = ["other"]
        case "args": service.args = ["-v"]
        case "workdir": service.workdir = "/elsewhere"
        case "build": service.build = ["make"]
        case "user": service.user = "nobody"
        case "replicas": service.replicas = 2
        case "ports": service.ports = [PortSpec(name: "http", hostPort: 8080)]
        case "env.A": service.env["A"] = "1"
        case "secrets": service.secrets = [SecretSpec(name: "s", envKey: "S", source: .autoGenerated)]
        case "expose": service.expose = true
        case "dependsOn": service.dependsOn = [DependencySpec(service: "orders")]
        case "probes": service.probes.liveness = ProbeSpec(.tcp(port: nil))
        case "volumes": service.volumes = [VolumeSpec(name: "v", mountPath: "/v")]
        case "init": service.initialisers = [.command(["true"])]
        case "restart": service.restart = .never
        case "stopSignal": service.stopSignal = "SIGINT"
        default: service.stopGraceSeconds = 1
        }
        changed.services[index] = service
        let entry = Difference.between(request: changed, parent: Samples.shop).entries.first {
            $0.service == "payments"
        }
        #expect(entry?.kind == .changed)
        #expect(entry?.reasons == [field])
    }
}
