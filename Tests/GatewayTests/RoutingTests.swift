import Blueprints
import EnvironmentGraph
import TestSupport
import Testing

@testable import Gateway

/// Who answers, and in which context.
@Suite struct RoutingTests {
    /// `payments` in the baseline and the overlay, `orders` in the baseline, `cart` in the child overlay; the listener
    /// is the baseline's for `payments`.
    private func withShop(
        change: (inout Shop) throws -> Void = { _ in },
        _ body: (GatewayFixture, Int, [String: Origin]) async throws -> Void
    ) async throws {
        var origins: [String: Origin] = [:]
        for name in ["payments@shop", "orders@shop", "payments@refunds-env", "cart@child-env"] {
            origins[name] = try Origin(name)
        }
        defer { for origin in origins.values { origin.stop() } }
        var shop = Shop(origins.mapValues(\.port))
        let port = try shop.listen(Shop.baseline, "payments")
        try change(&shop)
        try await GatewayFixture.with(shop.table) { try await body($0, port, origins) }
    }

    @Test func baselineAnswersWithoutContext() async throws {
        try await withShop { gateway, port, _ in
            let reply = try await gateway.get(port)
            #expect(reply.status == 200)
            #expect(reply.body.hasPrefix("payments@shop\n"))
            #expect(reply.field("x-msx-provider") == "payments@shop#r12")
            #expect(!reply.body.contains("x-msx-env"))
            #expect(reply.body.contains("traceparent: 00-"))
            #expect(reply.body.contains("x-forwarded-for: 127.0.0.1\r\n"))
        }
    }

    @Test(arguments: [
        "X-Msx-Env: Feat-Refunds", "baggage: a=b,msx-env=feat-refunds", "tracestate: x=1, msx=feat-refunds",
        "cookie: msx-env=feat-refunds",
    ])
    func carriersLeadToTheOverlay(_ carrier: String) async throws {
        try await withShop { gateway, port, _ in
            let reply = try await gateway.get(port, [carrier])
            #expect(reply.body.hasPrefix("payments@refunds-env\n"))
            #expect(reply.field("x-msx-provider") == "payments@refunds-env#r3")
            #expect(reply.body.contains("x-msx-env: feat-refunds\r\n"))
            #expect(reply.body.contains("msx-env=feat-refunds"))
            #expect(reply.body.contains("tracestate: msx=feat-refunds"))
        }
    }

    @Test func eachEnvironmentOfTheChainAnswersForWhatItRuns() async throws {
        var orders = 0
        var cart = 0
        try await withShop {
            orders = try $0.listen(Shop.baseline, "orders")
            cart = try $0.listen(Shop.baseline, "cart")
        } _: { gateway, payments, _ in
            let context = ["x-msx-env: feat-child"]
            #expect(try await gateway.get(payments, context).body.hasPrefix("payments@refunds-env\n"))
            #expect(try await gateway.get(orders, context).body.hasPrefix("orders@shop\n"))
            #expect(try await gateway.get(cart, context).body.hasPrefix("cart@child-env\n"))
            #expect(try await gateway.get(orders, context).body.contains("x-msx-env: feat-child\r\n"))
            let unknown = try await gateway.get(cart, ["x-msx-env: feat-refunds"])
            #expect(unknown.status == 404)
            #expect(unknown.field("x-msx-error") == "unknown_service")
        }
    }

    @Test func aTombstoneEndsTheSearch() async throws {
        try await withShop {
            $0.table.environments[1].services = []
            $0.table.environments[1].removed = ["payments"]
        } _: { gateway, port, _ in
            for context in ["feat-refunds", "feat-child"] {
                let reply = try await gateway.get(port, ["x-msx-env: \(context)"])
                #expect(reply.status == 404)
                #expect(reply.field("x-msx-error") == "unknown_service")
                #expect(reply.body.contains("\"code\":\"unknown_service\""))
            }
            #expect(try await gateway.get(port).status == 200)
        }
    }

    @Test func anOverlaysOwnAddressNeedsNoHeader() async throws {
        var port = 0
        try await withShop {
            port = try $0.listen(Shop.refunds, "payments", caller: .service("checkout"))
        } _: { gateway, _, origins in
            let reply = try await gateway.get(port, ["cookie: msx-env=feat-child"])
            #expect(reply.body.contains("x-msx-env: feat-refunds\r\n"))
            #expect(reply.body.hasPrefix("payments@refunds-env\n"))
            #expect(try await gateway.get(port, ["x-msx-env: feat-child"]).body.contains("x-msx-env: feat-child\r\n"))
            #expect(origins["payments@shop"]?.requests.isEmpty == true)
            let counts = await gateway.plane.counts()
            #expect(counts.disagreements == 1)
            #expect(
                Set(counts.calls) == [
                    CallCount(
                        caller: "checkout", callerEnvironment: Shop.refunds, service: "payments",
                        context: Shop.refunds, provider: Shop.refunds, error: nil, count: 1),
                    CallCount(
                        caller: "checkout", callerEnvironment: Shop.refunds, service: "payments", context: Shop.child,
                        provider: Shop.refunds, error: nil, count: 1),
                ])
        }
    }

    @Test func anUnknownOverlayIsRefusedUnlessTheBaselineAllowsIt() async throws {
        try await withShop { gateway, port, origins in
            let reply = try await gateway.get(port, ["x-msx-env: nobody"])
            #expect(reply.status == 404)
            #expect(reply.field("x-msx-error") == "unknown_environment")
            #expect(origins["payments@shop"]?.requests.isEmpty == true)
        }
        try await withShop {
            $0.table.environments[0].onUnknownContext = .baseline
        } _: { gateway, port, _ in
            let reply = try await gateway.get(port, ["x-msx-env: nobody", "baggage: msx-env=nobody,a=b"])
            #expect(reply.body.hasPrefix("payments@shop\n"))
            #expect(reply.field("x-msx-warning") == "unknown_environment")
            #expect(!reply.body.contains("nobody"))
            #expect(reply.body.contains("baggage: a=b\r\n"))
        }
    }

    @Test func anotherBaselinesOverlayIsUnknown() async throws {
        var port = 0
        try await withShop {
            let other = EnvironmentID(rawValue: "env-other")
            $0.table.environments.append(
                RoutedEnvironment(
                    id: other, name: "other", revision: 1, state: .serving,
                    services: $0.table.environments[0].services))
            port = try $0.listen(other, "payments")
        } _: { gateway, _, _ in
            #expect(try await gateway.get(port).status == 200)
            let reply = try await gateway.get(port, ["x-msx-env: feat-refunds"])
            #expect(reply.field("x-msx-error") == "unknown_environment")
        }
    }

    @Test(arguments: [(RoutedEnvironment.State.serving, "no_endpoint"), (.failed, "no_endpoint")])
    func whatIsNotReadyDoesNotFallThrough(_ state: RoutedEnvironment.State, _ code: String) async throws {
        try await withShop {
            $0.table.environments[1].state = state
            $0.table.environments[1].services[0].ready = false
        } _: { gateway, port, origins in
            let reply = try await gateway.get(port, ["x-msx-env: feat-refunds"])
            #expect(reply.status == 503)
            #expect(reply.field("x-msx-error") == code)
            #expect(reply.field("retry-after") != nil)
            #expect(origins["payments@shop"]?.requests.isEmpty == true)
        }
    }

    @Test func withoutPropagationTheContextStopsHere() async throws {
        try await withShop {
            $0.table.environments[0].propagateHeader = false
            $0.table.environments[0].headerName = "X-Shop-Env"
        } _: { gateway, port, _ in
            let reply = try await gateway.get(
                port,
                ["x-shop-env: feat-refunds", "baggage: a=b, msx-env=feat-refunds", "tracestate: msx=feat-refunds"])
            #expect(reply.body.hasPrefix("payments@refunds-env\n"))
            #expect(!reply.body.contains("feat-refunds"))
            #expect(!reply.body.contains("traceparent"))
            #expect(reply.body.contains("baggage: a=b\r\n"))
        }
    }

    @Test(arguments: [
        ("payments.shop.localhost", "payments@shop"), ("PAYMENTS.Shop.LocalHost:7080", "payments@shop"),
        ("payments--feat-refunds.shop.localhost", "payments@refunds-env"),
        ("payments--feat-child.shop.localhost:1", "payments@refunds-env"),
        ("payments.refunds-env.localhost", "payments@refunds-env"), ("orders.child-env.localhost", "orders@shop"),
    ])
    func hostNamesLeadToServices(_ host: String, _ provider: String) async throws {
        try await withShop { gateway, _, _ in
            let reply = try await gateway.get(gateway.edgePort, host: host, [])
            #expect(reply.body.hasPrefix(provider + "\n"))
            #expect(reply.body.contains("host: \(host)\r\n"))
        }
    }

    @Test(arguments: [
        ("localhost", "unknown_host"), ("payments.nobody.localhost", "unknown_host"),
        ("nobody.shop.localhost", "unknown_service"), ("payments--nobody.shop.localhost", "unknown_environment"),
        ("inner.shop.localhost", "unknown_service"),
    ])
    func otherHostsGetAHelpfulRefusal(_ host: String, _ code: String) async throws {
        try await withShop {
            var inner = Shop.service("inner", 1)
            inner.exposed = false
            $0.table.environments[0].services.append(inner)
        } _: { gateway, _, _ in
            let reply = try await gateway.get(gateway.edgePort, host: host, [])
            #expect(reply.status == 404)
            #expect(reply.field("x-msx-error") == code)
            #expect(!reply.body.contains("refunds"))
        }
    }

    @Test(arguments: ["x-msx-env:", "x-msx-env: a_b", "x-msx-env: a\r\nx-msx-env: b", "baggage: msx-env="])
    func aContextThatNobodyCanMean(_ field: String) async throws {
        try await withShop { gateway, port, origins in
            let reply = try await gateway.get(port, [field])
            #expect(reply.status == 400)
            #expect(reply.field("x-msx-error") == "bad_context")
            #expect(origins["payments@shop"]?.requests.isEmpty == true)
        }
    }

    @Test func aNewTableHoldsForTheNextRequestOnTheSameConnection() async throws {
        try await withShop { gateway, port, origins in
            let socket = try await onThread { try RawSocket.connect(port) }
            func ask() async throws -> String? {
                try await onThread {
                    try socket.send("GET / HTTP/1.1\r\nhost: a\r\nx-msx-env: feat-refunds\r\n\r\n")
                    return GatewayFixture.readResponse(socket)?.field("x-msx-provider")
                }
            }
            #expect(try await ask() == "payments@refunds-env#r3")
            var shop = Shop(["payments@shop": origins["payments@shop"]?.port ?? 0], version: 2)
            shop.table.listeners = [
                RoutedListener(port: port, environment: Shop.baseline, caller: .edge, service: "payments")
            ]
            try await gateway.apply(shop.table)
            #expect(try await ask() == "payments@shop#r12")
            #expect(await gateway.plane.apply(Shop([:], version: 1).table) == nil)
            #expect(try await ask() == "payments@shop#r12")
            try await gateway.apply(Shop([:], version: 3).table)
            #expect(try await onThread { socket.receiveAll() } == "")
            // A program that another test is just starting may hold a copy of the socket for a moment.
            try await eventually("the port is refused") { () -> Bool? in
                do {
                    _ = try await gateway.get(port)
                    return nil
                } catch is RawSocket.Failure {
                    return true
                }
            }
        }
    }
}
