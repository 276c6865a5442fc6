import EnvironmentGraph
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// The process's life: control socket, stored table, ports, end.
@Suite struct ControlTests {
    @Test func whatHasChangedIsEnoughAndIsKept() async throws {
        let (first, second) = (try Origin("payments@shop"), try Origin("payments@refunds-env"))
        defer { for origin in [first, second] { origin.stop() } }
        var shop = Shop(["payments@shop": first.port], version: 5)
        let port = try shop.listen(Shop.baseline, "payments")
        try await withTemporaryFolder { folder in
            var wanted = shop.table
            try await withGateway(folder) { control, _ in
                _ = try await control.putTable(shop.table)
                for version in UInt64(6)...10 {
                    let before = wanted
                    wanted.version = version
                    wanted.environments[1].services =
                        version % 2 == 1 ? [] : [Shop.service("payments", second.port)]
                    let delta = try #require(wanted.delta(since: before))
                    #expect(delta.environments.count == 1)
                    let reply = try await control.patchTable(delta)
                    // Only what could not be bound is named.
                    #expect(reply == GatewayTableReply(version: version, listeners: [], storeError: nil))
                    let answer = try await get(port, "x-msx-env: feat-refunds\r\n")
                    #expect(answer.contains(version % 2 == 1 ? "payments@shop#r12" : "payments@refunds-env#r3"))
                    await #expect {
                        try await control.patchTable(delta)
                    } throws: {
                        ($0 as? GatewayControlError)?.code == "another_base"
                    }
                }
            }
            // A change that is cut off was never in use.
            let changes = folder + "/table.json.changes"
            try Data(contentsOf: URL(fileURLWithPath: changes)).withUnsafeBytes { bytes in
                try Data(bytes + Array(#"{"base":10,"version":11,"#.utf8)).write(to: URL(fileURLWithPath: changes))
            }
            try await withGateway(folder) { control, status in
                #expect(status.tableVersion == 10)
                try await isOpen(control)
                let answer = try await get(port, "x-msx-env: feat-refunds\r\n")
                #expect(answer.contains("payments@refunds-env#r3"))
                let before = wanted
                wanted.version = 12
                wanted.environments[1].services = []
                _ = try await control.patchTable(try #require(wanted.delta(since: before)))
            }
            // Nothing was added behind what was cut off.
            try await withGateway(folder) { control, status in
                #expect(status.tableVersion == 12)
                try await isOpen(control)
                let answer = try await get(port, "x-msx-env: feat-refunds\r\n")
                #expect(answer.contains("payments@shop#r12"))
                wanted.version = 13
                _ = try await control.putTable(wanted)
                #expect(!FileManager.default.fileExists(atPath: changes))
            }
        }
    }

    @Test func aTableIsServedStoredAndServedAgain() async throws {
        let origin = try Origin("payments@shop")
        defer { origin.stop() }
        var shop = Shop(["payments@shop": origin.port], version: 5)
        let port = try shop.listen(Shop.baseline, "payments")
        try await withTemporaryFolder { folder in
            try await withGateway(folder) { control, status in
                #expect(status.tableVersion == 0)
                let reply = try await control.putTable(shop.table)
                #expect(reply == GatewayTableReply(version: 5, listeners: [.init(port: port)], storeError: nil))
                #expect(try await get(port).hasPrefix("HTTP/1.1 200"))
                var older = shop.table
                older.version = 4
                await #expect {
                    try await control.putTable(older)
                } throws: {
                    ($0 as? GatewayControlError)?.code == "table_version_older"
                }
                let after = try await control.status()
                #expect(after.tableVersion == 5)
                #expect(after.environments == 3)
                #expect(after.listeners == 1)
                #expect(after.version == "1.2.3")
                #expect(after.pid == getpid())
                #expect(try await control.counts().calls.map(\.count) == [1])
            }
            await #expect(throws: RawSocket.Failure.self) { try await get(port) }
            try await withGateway(folder) { control, status in
                #expect(status.tableVersion == 5)
                try await isOpen(control)
                #expect(try await get(port).contains("x-msx-provider: payments@shop#r12"))
                try await control.shutdown()
                try await eventually("the gateway ends") { () -> Bool? in
                    do {
                        _ = try await control.status()
                        return nil
                    } catch let error as GatewayControlError {
                        return error.code == "not_running" ? true : nil
                    }
                }
            }
        }
    }

    @Test func aTableThatCannotBeReadIsKeptAside() async throws {
        try await withTemporaryFolder { folder in
            let path = GatewayConfiguration.tablePath(inFolder: folder)
            try Data("{ not json".utf8).write(to: URL(fileURLWithPath: path))
            try await withGateway(folder) { control, status in
                #expect(status.tableVersion == 0)
                #expect(status.problems.count == 1)
                #expect(status.problems.first?.contains("table.json.unreadable-1") == true)
                _ = try await control.putTable(RoutingTable(version: 1))
            }
            #expect(try String(contentsOfFile: path + ".unreadable-1", encoding: .utf8) == "{ not json")
            #expect(FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func portsThatAreTaken() async throws {
        let taken = try Origin("taken")
        defer { taken.stop() }
        try await withTemporaryFolder { folder in
            await #expect(throws: GatewayProcess.StartError.self) {
                try await withGateway(folder, edgePort: taken.port) { _, _ in }
            }
            var shop = Shop([:])
            shop.table.listeners = [
                RoutedListener(port: taken.port, environment: Shop.baseline, caller: .edge, service: "payments"),
                RoutedListener(
                    host: "0.0.0.0", port: try freePort(), environment: Shop.baseline, caller: .edge,
                    service: "payments"),
            ]
            try await withGateway(folder) { control, _ in
                let reply = try await control.putTable(shop.table)
                #expect(reply.listeners[0].error == "the port is in use by another process")
                #expect(reply.listeners[1].error == "0.0.0.0 is no loopback address")
                #expect(try await control.status().problems.count == 2)
            }
        }
    }

    /// Whoever had the port lets go of it at last, and nobody says anything more to the gateway.
    @Test(arguments: [false, true]) func aPortThatComesFreeIsServed(afterRestart: Bool) async throws {
        let origin = try Origin("payments@shop")
        defer { origin.stop() }
        var shop = Shop(["payments@shop": origin.port], version: 5)
        let port = try shop.listen(Shop.baseline, "payments")
        let table = shop.table
        try await withTemporaryFolder { folder in
            if afterRestart { try await withGateway(folder) { control, _ in _ = try await control.putTable(table) } }
            var other: ListeningSocket? = try await eventually("the port is free") {
                try? ListeningSocket(host: "127.0.0.1", port: port)
            }
            try await withGateway(folder) { control, _ in
                if !afterRestart {
                    let began = ContinuousClock.now
                    let reply = try await control.putTable(table)
                    #expect(reply.listeners == [.init(port: port, error: "the port is in use by another process")])
                    // It may come free at once.
                    #expect(ContinuousClock.now - began > .milliseconds(400))
                }
                let before = try await control.status()
                #expect(before.refused?.map(\.port) == [port] && before.listeners == 0)
                #expect(before.problems == ["listener \(port): the port is in use by another process"])
                withExtendedLifetime(other) {}
                other = nil
                try await isOpen(control)
                #expect(try await get(port).contains("payments@shop#r12"))
                #expect(try await control.status().tableVersion == 5)
            }
        }
    }

    @Test func theDefaultEdgePortGivesWay() async throws {
        try await withTemporaryFolder { first in
            try await withTemporaryFolder { second in
                try await withGateway(first, edgePort: nil) { _, one in
                    try await withGateway(second, edgePort: nil) { _, two in
                        #expect(one.edgePort != two.edgePort)
                        let reply = try await get(two.edgePort)
                        #expect(reply.contains("unknown_host"))
                    }
                    await #expect(throws: (any Error).self) { try await withGateway(first) { _, _ in } }
                }
            }
        }
    }

    /// Other tests start programs, which hold copies of every socket for a moment: a port may be free only then.
    private func isOpen(_ control: GatewayControl) async throws {
        var last: GatewayStatus?
        try await eventually("every listener is open", lastSeen: { "\(last?.problems ?? [])" }) { () -> Bool? in
            last = try await control.status()
            return last?.problems == [] ? true : nil
        }
    }

    private func get(_ port: Int, _ fields: String = "") async throws -> String {
        try await onThread {
            let socket = try RawSocket.connect(port)
            try socket.send("GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\(fields)\r\n")
            return socket.receiveAll()
        }
    }
}
