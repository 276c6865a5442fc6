import Blueprints
import EnvironmentGraph
import Logging
import Orchestration
import Runtimes
import SQLiteStore
import Storage
import Synchronization
import TestSupport
import Testing

@testable import ControlPlane

/// What is kept between publications never makes a table that differs from one that is made from everything.
@Suite struct RoutePublisherTests {
    private static let services = (0..<3).map { number in
        ServiceSpec(
            name: "s\(number)", command: ["/bin/service"], ports: [PortSpec(name: "http", containerPort: 8080)],
            expose: number == 0,
            dependsOn: number == 0 ? [] : [DependencySpec(service: "s0", origin: .reference)])
    }

    private static func environment(_ name: String) -> EnvironmentRecord {
        let spec = BlueprintSpec(name: name, services: services)
        return EnvironmentRecord(
            id: EnvironmentID(rawValue: "env-\(name)"), name: name, mode: .isolated, spec: spec,
            difference: .between(request: spec, parent: nil), createdAt: 1)
    }

    @Test(arguments: 0..<4) func whateverHappensTheTableIsThatOfAMakingAnew(seed: UInt64) async throws {
        try await Stage.with { stage in
            var random = Randomness(state: seed)
            for round in 0..<60 {
                for _ in 0..<Int.random(in: 0...3, using: &random) { try await stage.change(&random) }
                try await stage.publisher.publish()
                let wanted = try await stage.tableFromEverything()
                let routed = stage.gateway.table
                #expect(routed?.environments == wanted.environments, "round \(round)")
                #expect(routed?.listeners == wanted.listeners, "round \(round)")
            }
        }
    }

    @Test func whatDidNotChangeIsNotSentAgain() async throws {
        try await Stage.with { stage in
            try await stage.store.write { try $0.save(Self.environment("a")) }
            for _ in 0..<3 { try await stage.publisher.publish() }
            #expect(stage.gateway.count == 1)
            // A status that changes no route: something of a service that is not this environment's.
            let other = WorkloadStatus(service: "other", generation: 1, state: .ready)
            stage.board.set([other], of: Self.environment("a").id)
            try await stage.publisher.publish()
            #expect(stage.gateway.count == 1)
        }
    }

    /// Ports that are taken away without any other change of the environment.
    @Test func portsThatAreTrimmedAreRoutedNoMore() async throws {
        try await Stage.with { stage in
            let record = Self.environment("a")
            try await stage.store.write { store in
                try store.save(record)
                try stage.allocator.allocate(for: record, at: 1, in: store)
                try store.save(
                    PortAssignment(
                        environment: record.id, purpose: .address(caller: "gone", service: "s0", port: "http"),
                        number: 31_999))
            }
            try await stage.publisher.publish()
            #expect(stage.gateway.table?.listeners.contains { $0.port == 31_999 } == true)
            try await stage.store.write { try PortAllocator.trim(record, at: 2, in: $0) }
            try await stage.publisher.publish()
            #expect(stage.gateway.table?.listeners.contains { $0.port == 31_999 } == false)
        }
    }

    @Test func whatDidNotArriveIsPublishedAgain() async throws {
        try await Stage.with { stage in
            try await stage.store.write { try $0.save(Self.environment("a")) }
            try await stage.publisher.publish()
            try await stage.store.write { try $0.save(Self.environment("b")) }
            stage.gateway.fails = true
            await #expect(throws: StoreError.self) { try await stage.publisher.publish() }
            #expect(await stage.publisher.publishedVersion() == nil)
            stage.gateway.fails = false
            try await stage.publisher.publish()
            #expect(stage.gateway.table?.environments.map(\.name) == ["a", "b"])
        }
    }

    /// More than are read in one transaction.
    @Test func manyAreReadInPieces() async throws {
        try await Stage.with { stage in
            let count = RouteSources.Reading.limit * 2 + 3
            try await stage.store.write { store in
                for number in 0..<count { try store.save(Self.environment("e\(number)")) }
            }
            try await stage.publisher.publish()
            #expect(stage.gateway.table?.environments.count == count)
            #expect(stage.gateway.count == 1)
        }
    }

    // MARK: The stage

    private struct Stage: Sendable {
        let store: SQLiteStore
        let board = StatusBoard()
        let gateway = Gateway()
        let publisher: RoutePublisher
        let allocator = PortAllocator(isFree: { _ in true })

        static func with(_ body: (Stage) async throws -> Void) async throws {
            try await withTemporaryFolder { folder in
                let stage = try Stage(folder)
                defer { stage.store.close() }
                try await body(stage)
            }
        }

        private init(_ folder: String) throws {
            store = try SQLiteStore(path: folder + "/store.sqlite")
            publisher = RoutePublisher(
                store: store, board: board, gateway: gateway, now: { 1 }, log: Logger(label: "test"))
        }

        /// One of the things that happen to environments.
        func change(_ random: inout Randomness) async throws {
            let name = ["a", "b", "c", "d"].randomElement(using: &random) ?? "a"
            let id = EnvironmentID(rawValue: "env-\(name)")
            let record = try await store.read { try $0.environment(id) }
            guard let record else {
                let new = RoutePublisherTests.environment(name)
                return try await store.write { try $0.save(new) }
            }
            switch Int.random(in: 0..<8, using: &random) {
            case 0: try await store.write { try allocator.allocate(for: record, at: 1, in: $0) }
            case 1: try await store.write { try PortAllocator.trim(record, at: 1, in: $0) }
            case 2:
                try await store.write { store in
                    try PortAllocator.release(id, at: 1, in: store)
                    try store.removeEnvironment(id)
                }
            case 3: board.forget(id)
            case 4:
                let service = record.spec.services.randomElement(using: &random)?.name ?? ""
                try await store.write { store in
                    var renewed = record
                    renewed.renew([service])
                    try store.save(renewed)
                }
            case 5:
                let next = record.state.successors.sorted { $0.rawValue < $1.rawValue }.randomElement(using: &random)
                guard let next, next != .deleted else { return }
                try await store.write { store in
                    var moved = record
                    try moved.move(to: next)
                    try store.save(moved)
                }
            case 6:
                // Taken back: nothing of it may be seen.
                try? await store.write { store in
                    try store.save(record)
                    throw StoreError(.ioError, "taken back")
                }
            default:
                let statuses = record.spec.services.map { service in
                    WorkloadStatus(
                        service: service.name, generation: Int.random(in: 1...3, using: &random),
                        state: Bool.random(using: &random) ? .ready : .starting)
                }
                board.set(statuses, of: id)
            }
        }

        func tableFromEverything() async throws -> RoutingTable {
            let facts = try await store.read { store in
                try store.environments().map { record in
                    let assumed = [.running, .degraded].contains(record.state) ? record.localServices : []
                    let ready = board.ready(record) ?? Set(assumed.flatMap(\.instances))
                    return RoutingFacts(record: record, ready: ready, assignments: try store.ports(of: record.id))
                }
            }
            return RoutingTable.make(version: 0, facts)
        }
    }

    private final class Gateway: TableTaking {
        private let state = Mutex((table: RoutingTable?.none, count: 0, fails: false))

        var table: RoutingTable? { state.withLock { $0.table } }
        var count: Int { state.withLock { $0.count } }
        var fails: Bool {
            get { state.withLock { $0.fails } }
            set { state.withLock { $0.fails = newValue } }
        }

        var tableVersion: UInt64 { table?.version ?? 0 }
        func currentTableVersion() async -> UInt64? { tableVersion }

        func put(_ table: inout RoutingTable) async throws -> [Int: String] {
            let taken = table
            return try state.withLock { state in
                if state.fails { throw StoreError(.ioError, "it does not answer") }
                state.table = taken
                state.count += 1
                return [:]
            }
        }
    }
}

/// SplitMix64.
private struct Randomness: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
