import Blueprints
import EnvironmentGraph
import Testing

@Suite struct RoutingTableMakingTests {
    private func facts(_ record: EnvironmentRecord, ready: Set<String> = ["payments"]) -> RoutingFacts {
        RoutingFacts(
            record: record, ready: ready, ports: ["payments": ["http": 20001], "orders-db": ["tcp": 20002]],
            addresses: [
                .init(caller: nil, service: "storefront", portName: "http", number: 20003),
                .init(caller: "orders", service: "orders-db", portName: "tcp", number: 20004),
            ])
    }

    @Test func anOverlayListsOnlyItsOwn() throws {
        let base = Samples.baseline()
        let overlay = Samples.overlay(Samples.changing("payments"), on: base, id: "env-o")
        let table = RoutingTable.make(version: 7, [facts(overlay), facts(base)])
        let routed = try #require(table.environments.first { $0.id == overlay.id })
        #expect(routed.services.map(\.name) == ["payments"])
        #expect(routed.services.first?.ports.map(\.port) == [20001])
        #expect(routed.services.first?.ready == true)
        #expect(routed.parent == base.id)
        #expect(routed.overlayID == "feat")
        #expect(table.version == 7)
    }

    @Test func listenersKnowTheirProtocolAndCaller() {
        let listeners = RoutingTable.make(version: 1, [facts(Samples.baseline())]).listeners
        #expect(listeners.map(\.isTCP) == [false, true])
        #expect(listeners.map(\.caller) == [.edge, .service("orders")])
    }

    @Test func whatIsGoingAwayIsLeftOut() throws {
        var record = Samples.baseline()
        try record.move(to: .deleting)
        let table = RoutingTable.make(version: 1, [facts(record)])
        #expect(table.environments.isEmpty)
        #expect(table.listeners.isEmpty)
    }

    @Test func theOrderOfFactsDoesNotMatter() {
        let base = Samples.baseline()
        let all = (0..<8).map { Samples.overlay(Samples.changing("payments", as: "o\($0)"), on: base, id: "env-\($0)") }
        let expected = RoutingTable.make(version: 1, ([base] + all).map { facts($0) })
        for _ in 0..<10 {
            #expect(RoutingTable.make(version: 1, ([base] + all).shuffled().map { facts($0) }) == expected)
        }
    }
}
