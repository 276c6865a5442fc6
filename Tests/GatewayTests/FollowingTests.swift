import EnvironmentGraph
import Foundation
import HTTPTransport
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// A gateway that follows a control plane, whose answers are the test's.
@Suite struct FollowingTests {
    private final class Script: TableSource {
        let name = "test:1"
        private let answers: Mutex<[Result<TableNews, GatewayControlError>]>
        private let cursors = Mutex<[String?]>([])
        var asked: [String?] { cursors.withLock { $0 } }

        init(_ answers: [Result<TableNews, GatewayControlError>]) { self.answers = Mutex(answers) }

        func news(after cursor: String?) async throws -> TableNews {
            cursors.withLock { $0.append(cursor) }
            let next = answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            guard let next else {
                // The test cancels it.
                try await Task.sleep(for: .seconds(600))
                return TableNews()
            }
            return try next.get()
        }
    }

    private static func table(_ version: UInt64, _ names: String...) -> RoutingTable {
        RoutingTable(
            version: version,
            environments: names.map {
                RoutedEnvironment(id: EnvironmentID(rawValue: "env-\($0)"), name: $0, revision: 1, state: .serving)
            },
            listeners: [
                RoutedListener(port: 1, environment: EnvironmentID(rawValue: "env-a"), caller: .edge, service: "s")
            ]
        )
    }

    /// Follows the script to its end, and gives what the gateway then has on disk.
    private func followed(
        _ script: Script, _ body: (GatewayDesk) async throws -> Void = { _ in }
    ) async throws -> RoutingTable? {
        try await withTemporaryFolder { folder in
            let logger = Logger(label: "test")
            var configuration = GatewayConfiguration(folder: folder, edgePort: 0, loops: 1)
            configuration.opensListeners = false
            let plane = DataPlane(loops: 1, limits: GatewayLimits(), logger: logger)
            let desk = GatewayDesk(
                configuration, plane: plane, exporter: OTLPExporter(nil, version: "", logger: logger),
                followed: script.name, logger: logger
            ) {}
            try await desk.start()
            let result: Result<Void, any Error>
            do {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await TableFollower(source: script, desk: desk, logger: logger).run() }
                    defer { group.cancelAll() }
                    try await body(desk)
                }
                result = .success(())
            } catch {
                result = .failure(error)
            }
            await plane.shutDown()
            try result.get()
            return TableFile(path: GatewayConfiguration.tablePath(inFolder: folder)).look()
        }
    }

    @Test func deltasAreAppliedAndWhatDoesNotFitIsAskedForWhole() async throws {
        let first = Self.table(10, "a", "b", "c")
        var second = first
        second.version = 11
        second.environments[1].revision = 2
        // A restored server: lower numbers, and another table under one that was there.
        let restored = Self.table(5, "a", "d")
        let script = Script([
            .failure(GatewayControlError(code: "x", message: "nobody there")),
            .success(TableNews(cursor: "r.10", table: first)),
            .success(TableNews(cursor: "r.11", delta: second.delta(since: first))),
            .success(TableNews(cursor: "r.11")),
            .success(TableNews(cursor: "q.5", delta: second.delta(since: first))),
            .success(TableNews(cursor: "q.5", table: restored)),
        ])
        let stored = try await followed(script) { desk in
            try await eventually("the end of the script", lastSeen: { "\(script.asked)" }) {
                script.asked.count == 7 ? true : nil
            }
            #expect(await desk.status().problems == [])
        }
        #expect(script.asked == [nil, nil, "r.10", "r.11", "r.11", nil, "q.5"])
        #expect(stored?.environments.map(\.name) == ["a", "d"])
        #expect(stored?.version == 12)
        #expect(stored?.listeners == [])
    }

    @Test func isReadyOnceThereIsATable() async throws {
        let script = Script([.failure(GatewayControlError(code: "x", message: "nobody there"))])
        _ = try await followed(script) { desk in
            try await eventually("a reason") { () -> Bool? in
                let answer = await desk.adminAnswer(HTTPRequest("GET", "/ready"))
                guard answer.status == 503, case .bytes(let bytes) = answer.body else { return nil }
                return String(decoding: bytes, as: UTF8.self).contains("test:1: nobody there") ? true : nil
            }
            await desk.take(Self.table(3, "a"))
            let status = await desk.adminAnswer(HTTPRequest("GET", "/ready")).status
            #expect(status == 200)
            let table = await desk.adminAnswer(HTTPRequest("PUT", "/table")).status
            #expect(table == 404)
        }
    }
}
