import EnvironmentGraph
import Foundation
import Testing

@testable import Gateway

/// Rate, errors and duration by (environment, service, provider).
@Suite(.timeLimit(.minutes(5))) struct MeasureTests {
    private static func row(_ snapshot: MeasureSnapshot, _ environment: EnvironmentID, _ service: String) -> MeasureRow?
    {
        snapshot.series.first { $0.name.environment == environment && $0.name.service == service }?.row
    }

    @Test func requestsAreMeasuredInTheirContext() async throws {
        let origins = try ["payments@shop", "payments@refunds-env"].map { try Origin($0) }
        let slow = try Origin("slow@shop") { socket, _ in
            while Origin.readRequest(socket) != nil {
                Thread.sleep(forTimeInterval: 0.03)
                try socket.send("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n")
            }
        }
        defer { for origin in origins + [slow] { origin.stop() } }
        var shop = Shop(Dictionary(uniqueKeysWithValues: (origins + [slow]).map { ($0.name, $0.port) }))
        let payments = try shop.listen(Shop.baseline, "payments")
        let slowPort = try shop.listen(Shop.baseline, "slow")
        var table = shop.table
        try await GatewayFixture.with(table) { gateway in
            for _ in 0..<3 { _ = try await gateway.get(payments) }
            for _ in 0..<2 { _ = try await gateway.get(payments, ["x-msx-env: feat-refunds"]) }
            _ = try await gateway.get(slowPort)
            _ = try await gateway.get(slowPort, ["x-msx-env: nope"])
            // Names stay what they are when the table changes.
            table.version += 1
            table.environments.reverse()
            try await gateway.apply(table)
            _ = try await gateway.get(payments)
            let measures = await gateway.plane.measures()
            let base = try #require(Self.row(measures, Shop.baseline, "payments"))
            #expect(base.classes == [0, 0, 4, 0, 0, 0] && base.errors == 0 && base.total == 4)
            #expect(base.counts.reduce(0, +) == 4 && base.seconds > 0 && base.seconds < 4)
            let overlay = try #require(measures.series.first { $0.name.environment == Shop.refunds })
            #expect(overlay.name.provider == Shop.refunds && overlay.row.total == 2)
            let failed = try #require(Self.row(measures, Shop.baseline, "slow"))
            #expect(failed.classes == [0, 0, 0, 0, 0, 1] && failed.errors == 1 && failed.counts[..<4] == [0, 0, 0, 0])
            let refused = try #require(Self.row(measures, Shop.baseline, ""))
            #expect(refused.classes == [0, 0, 0, 0, 1, 0] && refused.errors == 1)
            #expect(measures.beyond.total == 0)
        }
    }

    @Test func whatIsBeyondTheMostIsTogether() {
        let table = CompiledTable(Shop(["a@shop": 1, "b@shop": 2, "c@shop": 3]).table, after: nil)
        var book = MeasureBook(maxKeys: 2)
        func add(_ service: Int32, late: Bool = false) {
            let key = CountKey(
                listener: 0, environment: 0, service: service, context: -1, isProvider: true, fault: nil)
            if late {
                book.addLate(key, status: 200, duration: 1, table)
            } else {
                book.add(key, status: 200, duration: 20_000_000_000)
            }
        }
        for service in [0, 1, 2, 2, 0] as [Int32] { add(service) }
        var found = book.merged(with: table)
        #expect(found.series.map(\.row.total).sorted() == [1, 2] && found.beyond.total == 2)
        #expect(found.beyond.counts.last == 2 && found.beyond.seconds == 40)
        book.fold(table, before: table)
        for service in [0, 1, 2] as [Int32] { add(service) }
        add(2, late: true)
        found = book.merged(with: table)
        #expect(found.series.count == 2 && found.series.map(\.row.total).reduce(0, +) + found.beyond.total == 9)
        // Of two loops the busiest stay apart.
        let both = MeasureSnapshot.merged([found, found], maxSeries: 1)
        #expect(both.series.count == 1 && both.series[0].row.total + both.beyond.total == 18)
    }

    @Test func environmentsThatAreGoneMakeRoom() {
        let table = CompiledTable(Shop(["a@shop": 1, "a@refunds-env": 2]).table, after: nil)
        var book = MeasureBook(maxKeys: 2)
        for service in [0, 1] as [Int32] {
            let environment = Int32(table.services[Int(service)].environment)
            book.add(
                CountKey(
                    listener: 0, environment: environment, service: service, context: -1, isProvider: true, fault: nil),
                status: 200, duration: 1)
        }
        var left = Shop(["a@shop": 1]).table
        left.environments.removeAll { $0.id != Shop.baseline }
        let next = CompiledTable(left, after: table)
        book.fold(table, before: next)
        #expect(book.merged(with: next).series.map(\.name.environment) == [Shop.baseline])
    }
}
