import Blueprints
import EnvironmentGraph
import Storage

/// Gives every service's own listening and every address of the gateway a port that it keeps until its environment goes.
///
/// A port that was given back is not given to anybody else for ten minutes, so that whoever still has an old address is
/// refused instead of being answered by another environment.
///
/// Below the kernel's range for outgoing connections (from 32768 on Linux), so that no client's local port is in the way.
package struct PortAllocator: Sendable {
    /// How long a port rests that was given back, in milliseconds.
    package static let restTime: Int64 = 600_000

    package let range: ClosedRange<Int>
    private let isFree: @Sendable (Int) -> Bool

    package static let defaultRange = 20000...31999

    package init(range: ClosedRange<Int> = PortAllocator.defaultRange, isFree: @escaping @Sendable (Int) -> Bool) {
        self.range = range
        self.isFree = isFree
    }

    /// What an environment needs, in a fixed order: a port for each port of a local service; an address for each
    /// (local caller, service that it addresses); an address from outside for each exposed service, inherited or not.
    package static func purposes(_ record: EnvironmentRecord) -> [(purpose: PortAssignment.Purpose, fixed: Int?)] {
        let local = record.localServices
        var purposes: [(PortAssignment.Purpose, Int?)] = []
        for service in local {
            for instance in service.instances {
                for port in service.ports {
                    // Only one copy can have the port that the Blueprint fixes.
                    let fixed = instance == service.name ? port.hostPort : nil
                    purposes.append((.service(instance, port: port.name), fixed))
                }
            }
        }
        for caller in local {
            for name in caller.addressedServices.sorted() {
                guard let port = record.spec.service(name)?.ports.first else { continue }
                purposes.append((.address(caller: caller.name, service: name, port: port.name), nil))
            }
        }
        for service in record.spec.services where service.expose {
            guard let port = service.ports.first else { continue }
            purposes.append((.address(caller: nil, service: service.name, port: port.name), nil))
        }
        return purposes
    }

    /// Gives an environment's ports back; call it inside a write transaction.
    package static func release(_ id: EnvironmentID, at now: Int64, in store: any StoreWriting) throws {
        try rest(Set(try store.ports(of: id).map(\.number)), at: now, in: store)
        try store.removePorts(of: id)
    }

    /// Gives back the ports that an environment has no purpose for any more; call it inside a write transaction.
    package static func trim(_ record: EnvironmentRecord, at now: Int64, in store: any StoreWriting) throws {
        let wanted = Set(purposes(record).map(\.purpose))
        let unused = Set(try store.ports(of: record.id).filter { !wanted.contains($0.purpose) }.map(\.number))
        guard !unused.isEmpty else { return }
        try rest(unused, at: now, in: store)
        try store.removePorts(of: record.id, numbers: unused)
        try renewVersion(of: record.id, in: store)
    }

    /// Whoever keeps what the ports are needed for reads them anew where the record's version grew, and only there.
    private static func renewVersion(of id: EnvironmentID, in store: any StoreWriting) throws {
        if let record = try store.environment(id) { try store.save(record) }
    }

    private static func rest(_ ports: Set<Int>, at now: Int64, in store: any StoreWriting) throws {
        var resting = try resting(at: now, in: store)
        for port in ports { resting[port] = now }
        let text = resting.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: " ")
        try store.set(restingKey, to: text.isEmpty ? nil : text)
    }

    private static let restingKey = "ports/resting"

    /// Port → when it was given back, without those that have rested enough.
    private static func resting(at now: Int64, in store: any StoreReading) throws -> [Int: Int64] {
        let entries = (try store.setting(restingKey) ?? "").split(separator: " ").compactMap { entry -> (Int, Int64)? in
            let parts = entry.split(separator: ":")
            guard parts.count == 2, let port = Int(parts[0]), let time = Int64(parts[1]) else { return nil }
            return (port, time)
        }
        return Dictionary(entries) { $1 }.filter { now - $0.value < restTime }
    }

    /// Assigns what is not assigned yet; call it inside a write transaction.
    ///
    /// - Throws: ``StepFailure`` where a fixed port belongs to somebody else, or the range is used up.
    package func allocate(for record: EnvironmentRecord, at now: Int64, in store: any StoreWriting) throws {
        let existing = Set(try store.ports(of: record.id).map(\.purpose))
        let resting = Set(try Self.resting(at: now, in: store).keys)
        let missing = Self.purposes(record).filter { !existing.contains($0.purpose) }
        for (purpose, fixed) in missing {
            var number = try fixed ?? choose(record.id, purpose, resting, store)
            if let taken = try store.port(number) {
                // An overlay's copy of a service cannot have the port that the Blueprint fixed for its parent's.
                guard record.parent != nil, taken.environment != record.id, taken.purpose == purpose else {
                    let owner = try store.environment(taken.environment)?.name ?? "another environment"
                    throw StepFailure("port \(number), which the Blueprint fixes with hostPort, belongs to \(owner)")
                }
                number = try choose(record.id, purpose, resting, store)
            }
            try store.save(PortAssignment(environment: record.id, purpose: purpose, number: number))
        }
        if !missing.isEmpty { try Self.renewVersion(of: record.id, in: store) }
    }

    /// The first free port from a place that follows from what it is for, so that the same environment tends to get the
    /// same ports.
    private func choose(
        _ id: EnvironmentID, _ purpose: PortAssignment.Purpose, _ resting: Set<Int>, _ store: any StoreReading
    ) throws -> Int {
        let start = Int(fnv1a("\(id)/\(purpose)") % UInt64(range.count))
        for offset in 0..<range.count {
            let port = range.lowerBound + (start + offset) % range.count
            if !resting.contains(port), try store.port(port) == nil, isFree(port) { return port }
        }
        throw StepFailure(
            "every port from \(range.lowerBound) to \(range.upperBound) is in use, or rests because it was given back "
                + "less than ten minutes ago; MICROSTAX_PORTS says which there are")
    }

    /// FNV-1a, 64 bits (draft-eastlake-fnv). Swift's own hashing differs from run to run.
    private func fnv1a(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
