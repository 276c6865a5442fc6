import Blueprints
import EnvironmentGraph
import Orchestration
import Storage

/// What the routing table is made from, kept from one publication to the next, so that a publication costs what changed
/// and not what there is.
///
/// Two things say what changed, and no change passes between them. What is stored of an environment, its ports included,
/// has a version that grows with every saving: the versions of all are compared each time, whatever anybody told. Whether
/// a copy is ready stands on the ``StatusBoard`` alone, which says of every change whose it is.
struct RouteSources {
    private struct Source {
        /// `nil` for one that is going away.
        var part: RoutingPart?
        /// What counted as ready when the part was made.
        var ready: Set<String>
        /// The generation that counts, of each instance of its own.
        var generations: [String: Int]
        /// Whether its copies count as ready while nothing was heard of them: they should run.
        var isAwake: Bool
    }

    private let board: StatusBoard
    private var sources: [EnvironmentID: Source] = [:]
    /// Sorted by id; `nil` after one came or went.
    private var order: [EnvironmentID]?
    /// Of the records that the sources were made from.
    private(set) var versions: [EnvironmentID: Int64] = [:]

    init(board: StatusBoard) { self.board = board }

    /// Those of them that are ready in another way than when they were read: the others need no reading.
    func rung(_ ids: Set<EnvironmentID>) -> Set<EnvironmentID> {
        ids.filter { id in
            guard let source = sources[id] else { return false }
            return ready(id, source.generations, source.isAwake) != source.ready
        }
    }

    /// - Returns: whether the table is another one now.
    mutating func take(_ reading: Reading) -> Bool {
        var hasChanged = false
        for found in reading.found {
            let source = source(found)
            if sources[found.record.id]?.part != source.part { hasChanged = true }
            if sources.updateValue(source, forKey: found.record.id) == nil { order = nil }
            versions[found.record.id] = found.version
        }
        for id in reading.gone {
            if sources.removeValue(forKey: id)?.part != nil { hasChanged = true }
            versions[id] = nil
            order = nil
        }
        return hasChanged
    }

    mutating func table(version: UInt64) -> RoutingTable {
        let order = order ?? sources.keys.sorted()
        self.order = order
        return RoutingTable.make(version: version, order.compactMap { sources[$0]?.part })
    }

    private func source(_ found: Reading.Found) -> Source {
        let record = found.record
        let instances = record.localServices.flatMap { service in
            service.instances.map { ($0, record.generation(of: service.name)) }
        }
        let generations = Dictionary(instances) { $1 }
        let isAwake = [.running, .degraded].contains(record.state)
        let ready = ready(record.id, generations, isAwake)
        let facts = RoutingFacts(record: record, ready: ready, assignments: found.ports)
        return Source(part: RoutingPart(facts), ready: ready, generations: generations, isAwake: isAwake)
    }

    /// While the runtime has said nothing yet (the server has just started), what should run counts as ready: its copy is
    /// the right one, and most likely never stopped.
    private func ready(_ id: EnvironmentID, _ generations: [String: Int], _ isAwake: Bool) -> Set<String> {
        let ready = board.ready(in: id) { generations[$0] ?? .max }
        return ready ?? (isAwake ? Set(generations.keys) : [])
    }
}

extension RouteSources {
    /// What one transaction found changed.
    struct Reading: Sendable {
        struct Found: Sendable {
            var record: EnvironmentRecord
            var ports: [PortAssignment]
            var version: Int64
        }

        /// More are not read at once.
        static let limit = 500

        var found: [Found] = []
        var gone: [EnvironmentID] = []
        /// Whether it was all that had changed.
        var isWhole: Bool

        var ids: [EnvironmentID] { found.map(\.record.id) }

        /// - Parameters:
        ///   - known: the versions that need no reading.
        ///   - also: to be read whatever their versions.
        init(_ store: any StoreReading, known: [EnvironmentID: Int64], also: Set<EnvironmentID>) throws {
            let versions = try store.versions()
            gone = known.keys.filter { versions[$0] == nil }
            let stale = versions.filter { known[$0.key] != $0.value || also.contains($0.key) }
            isWhole = stale.count <= Self.limit
            for (id, version) in isWhole ? stale : Self.first(of: stale) {
                guard let record = try store.environment(id) else { continue }
                found.append(Found(record: record, ports: try store.ports(of: id), version: version))
            }
        }

        private static func first(of stale: [EnvironmentID: Int64]) -> [EnvironmentID: Int64] {
            let ids = stale.keys.sorted().prefix(limit)
            return stale.filter { $0.key <= ids.last ?? $0.key }
        }
    }
}

extension RoutingFacts {
    init(record: EnvironmentRecord, ready: Set<String>, assignments: [PortAssignment]) {
        var ports: [String: [String: Int]] = [:]
        var addresses: [Address] = []
        for assignment in assignments {
            switch assignment.purpose {
            case .service(let service, let port): ports[service, default: [:]][port] = assignment.number
            case .address(let caller, let service, let port):
                addresses.append(
                    Address(caller: caller, service: service, portName: port, number: assignment.number))
            }
        }
        self.init(record: record, ready: ready, ports: ports, addresses: addresses)
    }
}
