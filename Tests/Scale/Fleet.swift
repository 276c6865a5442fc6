import Blueprints
import EnvironmentGraph
import Foundation
import Storage

/// Many environments of twenty services, as they are when all of them were created and run.
struct Fleet {
    static let services = 20

    let count: Int

    static func spec(_ name: String) -> BlueprintSpec {
        BlueprintSpec(
            name: name, labels: ["team": "payments"],
            services: (0..<services).map { number in
                let needs = number == 0 ? [] : ["service-\((number - 1) / 2)"]
                return ServiceSpec(
                    name: "service-\(number)", command: ["/usr/bin/python3", "-B", "service.py"], workdir: "/srv/shop",
                    ports: [PortSpec(name: "http", containerPort: 8080)],
                    env: Dictionary(
                        uniqueKeysWithValues: needs.map { ("NEXT_URL", "${services.\($0).url}") } + [("LEVEL", "info")]),
                    expose: number == 0, dependsOn: needs.map { DependencySpec(service: $0, origin: .reference) })
            })
    }

    /// One in ten ends by itself, some day.
    static func record(_ number: Int, at now: Int64) -> EnvironmentRecord {
        let name = "env-\(String(100_000 + number).dropFirst())"
        let spec = spec(name)
        var record = EnvironmentRecord(
            id: EnvironmentID(rawValue: "env-f\(100_000_000 + number)"), name: name, mode: .isolated, spec: spec,
            difference: .between(request: spec, parent: nil), createdAt: now)
        if number % 10 == 0 { record.expire(at: now + 30 * 86_400_000, setAt: now) }
        return record
    }

    /// Writes them with everything that a real create leaves in the store.
    func write(to store: any Store, firstPort: Int) async throws {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        var number = 0
        while number < count {
            let batch = number..<min(number + 250, count)
            try await store.write { store in
                for number in batch {
                    var record = Self.record(number, at: now)
                    var execution = Self.creation(of: record, number)
                    execution.state = .succeeded
                    execution.finishedAt = now
                    for index in execution.steps.indices {
                        execution.steps[index].state = .succeeded
                        execution.steps[index].attempt = 1
                        execution.steps[index].startedAt = now
                        execution.steps[index].finishedAt = now
                    }
                    try record.move(to: .provisioning)
                    try record.move(to: .running)
                    try store.save(record)
                    try store.save(
                        RevisionRecord(
                            environment: record.id, number: 1, source: String(repeating: "x", count: 4_000),
                            composed: String(repeating: "y", count: 16_000), files: [:], createdAt: now))
                    try store.save(execution)
                    var port = firstPort + number * 64
                    for service in record.spec.services {
                        let own = PortAssignment.Purpose.service(service.name, port: "http")
                        try store.save(PortAssignment(environment: record.id, purpose: own, number: port))
                        for called in service.dependsOn {
                            let address = PortAssignment.Purpose.address(
                                caller: service.name, service: called.service, port: "http")
                            port += 1
                            try store.save(PortAssignment(environment: record.id, purpose: address, number: port))
                        }
                        port += 1
                    }
                    let outside = PortAssignment.Purpose.address(caller: nil, service: "service-0", port: "http")
                    try store.save(PortAssignment(environment: record.id, purpose: outside, number: port))
                }
            }
            number = batch.upperBound
        }
    }

    static func creation(of record: EnvironmentRecord, _ number: Int) -> ExecutionRecord {
        ExecutionRecord(
            id: ExecutionID(rawValue: "exe-f\(100_000_000 + number)"), environment: record.id, kind: .create,
            steps: Planner.create(record).steps.map { StepRecord(plan: $0) },
            createdAt: record.createdAt)
    }
}
