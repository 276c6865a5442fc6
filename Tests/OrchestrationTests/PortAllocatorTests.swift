import Blueprints
import EnvironmentGraph
import Orchestration
import Storage
import TestSupport
import Testing

@Suite struct PortAllocatorTests {
    private func record(_ name: String, hostPort: Int? = nil) -> EnvironmentRecord {
        let spec = BlueprintSpec(
            name: name,
            services: [
                ServiceSpec(
                    name: "api", command: ["run"], ports: [PortSpec(name: "http", hostPort: hostPort)],
                    env: ["DB": "${services.db.address}", "ME": "${services.api.url}"], expose: true),
                ServiceSpec(name: "db", command: ["run"], ports: [PortSpec(name: "tcp", transport: .tcp)]),
            ])
        return EnvironmentRecord(
            id: EnvironmentID(rawValue: "env-\(name)"), name: name, mode: .baseline, spec: spec,
            difference: .between(request: spec, parent: nil), createdAt: 0)
    }

    @Test func everyPortAndEveryAddressHasItsOwn() async throws {
        try await Workbench.with { bench in
            let allocator = PortAllocator(range: 20000...20009, isFree: { $0 != 20005 })
            let record = record("a")
            let ports = try await bench.store.write { store in
                try store.save(record)
                try allocator.allocate(for: record, at: 0, in: store)
                try allocator.allocate(for: record, at: 0, in: store)
                return try store.ports(of: record.id)
            }
            #expect(ports.count == 5)
            #expect(Set(ports.map(\.number)).count == 5)
            #expect(!ports.contains { $0.number == 20005 })
            #expect(ports.contains { $0.purpose == .address(caller: "api", service: "api", port: "http") })
        }
    }

    @Test func aFullRangeAndATakenFixedPortAreErrors() async throws {
        try await Workbench.with { bench in
            let small = PortAllocator(range: 20000...20002, isFree: { _ in true })
            await #expect(throws: StepFailure.self) {
                try await bench.store.write { store in
                    try store.save(record("a"))
                    try small.allocate(for: record("a"), at: 0, in: store)
                }
            }
            let allocator = PortAllocator(isFree: { _ in true })
            try await bench.store.write { store in
                try store.save(record("a", hostPort: 8080))
                try allocator.allocate(for: record("a", hostPort: 8080), at: 0, in: store)
            }
            await #expect(throws: StepFailure.self) {
                try await bench.store.write { store in
                    try store.save(record("b", hostPort: 8080))
                    try allocator.allocate(for: record("b", hostPort: 8080), at: 0, in: store)
                }
            }
        }
    }

    @Test func aPortThatWasGivenBackRests() async throws {
        try await Workbench.with { bench in
            let allocator = PortAllocator(range: 20000...20011, isFree: { _ in true })
            let (first, second) = (record("a"), record("b"))
            let rest = PortAllocator.restTime
            let (old, new) = try await bench.store.write { store in
                try store.save(first)
                try allocator.allocate(for: first, at: 0, in: store)
                let old = try store.ports(of: first.id).map(\.number)
                try PortAllocator.release(first.id, at: 1000, in: store)
                try store.save(second)
                try allocator.allocate(for: second, at: 1000 + rest - 1, in: store)
                return (Set(old), Set(try store.ports(of: second.id).map(\.number)))
            }
            #expect(old.isDisjoint(with: new))
            // The range has no two more for a third one, until the first ports have rested.
            let third = record("c")
            await #expect(throws: StepFailure.self) {
                try await bench.store.write { store in
                    try store.save(third)
                    try allocator.allocate(for: third, at: 1000 + rest - 1, in: store)
                }
            }
            try await bench.store.write { store in
                try store.save(third)
                try allocator.allocate(for: third, at: 1000 + rest, in: store)
            }
        }
    }
}
