import Blueprints
import EnvironmentGraph
import HTTPWire

/// A `RoutingTable` made ready for looking up: immutable, shared by all event loops.
///
/// A lookup walks up the lineage (overlay, its parents, baseline) and costs one hash per step, whatever the number of
/// environments. Nothing here allocates once compiled.
final class CompiledTable: Sendable {
    let version: UInt64
    let environments: [CompiledEnvironment]
    let services: [CompiledService]
    /// By port.
    let listeners: [Int: CompiledListener]
    /// By number; nil where the table names an environment that it does not have.
    let numberedListeners: [CompiledListener?]
    let endpoints: EndpointBook
    private let stamps: StampBook
    private let servings: ServingBook
    /// (root, overlay id) → environment.
    private let contexts: ByteMap
    /// (environment, service name) → service, or `tombstone`.
    private let ownServices: ByteMap
    /// (0, environment's name) → environment.
    private let names: ByteMap

    private static let tombstone = Int(Int32.max)

    static let empty = CompiledTable(RoutingTable(), after: nil)

    /// - Parameter last: the numbers of its endpoints and the stamps of its environments stay the same.
    init(_ table: RoutingTable, after last: CompiledTable?) {
        var endpoints = (last?.endpoints ?? EndpointBook()).successor()
        let stamps = StampBook(table.environments.map(\.id), after: last?.stamps)
        var servings = (last?.servings ?? ServingBook()).successor()
        var services: [CompiledService] = []
        var contexts = ByteMap()
        var ownServices = ByteMap()
        var names = ByteMap()
        let compiled = CompiledEnvironment.compile(table.environments, stamps)
        for (index, routed) in table.environments.enumerated() {
            names.insert(0, routed.name, index)
            if let overlayID = routed.overlayID { contexts.insert(UInt32(compiled[index].root), overlayID, index) }
            for removed in routed.removed { ownServices.insert(UInt32(index), removed, Self.tombstone) }
            for service in routed.services where ownServices.insert(UInt32(index), service.name, services.count) {
                services.append(
                    CompiledService(
                        service, number: services.count, of: routed, environment: index, endpoints: &endpoints,
                        servings: &servings))
            }
        }
        var listeners: [Int: CompiledListener] = [:]
        let indices = Dictionary(table.environments.enumerated().map { ($1.id, $0) }) { first, _ in first }
        var numbered: [CompiledListener?] = Array(repeating: nil, count: table.listeners.count)
        for (number, routed) in table.listeners.enumerated() {
            guard let environment = indices[routed.environment] else { continue }
            var caller: Serving?
            if case .service(let name) = routed.caller {
                caller = servings.serving(of: routed.environment.rawValue, service: name)
            }
            numbered[number] = CompiledListener(
                routed, number: number, environment: environment, callerServing: caller)
            // Of two on one port the first counts; the second is told so when it is bound.
            if listeners[routed.port] == nil { listeners[routed.port] = numbered[number] }
        }
        numberedListeners = numbered
        version = table.version
        environments = compiled
        self.services = services
        self.listeners = listeners
        self.endpoints = endpoints
        self.stamps = stamps
        self.servings = servings
        self.contexts = contexts
        self.ownServices = ownServices
        self.names = names
    }

    enum Resolution {
        case found(CompiledService)
        case removed
        case unknown
    }

    /// The environment that a context names among the overlays of `root`.
    func environment(ofContext context: UnsafeRawBufferPointer, root: Int) -> Int? {
        contexts.find(UInt32(root), context)
    }

    /// `nil` where that environment is gone.
    func environment(stamped stamp: UInt32) -> Int? { stamps.positions[stamp] }

    /// `nil` where that environment is gone, or not known here yet; see ``EnvironmentID/key``.
    func environment(keyed key: UInt64) -> Int? { stamps.stamp(keyed: key).flatMap(environment(stamped:)) }

    func environment(named name: UnsafeRawBufferPointer) -> Int? { names.find(0, name) }

    /// The first of the environment and its ancestors that has the service or has removed it.
    func resolve(_ service: UnsafeRawBufferPointer, in environment: Int) -> Resolution {
        var current = environment
        while true {
            if let found = ownServices.find(UInt32(current), service) {
                return found == Self.tombstone ? .removed : .found(services[found])
            }
            guard let parent = environments[current].parent else { return .unknown }
            current = parent
        }
    }
}

/// An environment with its place in the lineage as positions in the table.
struct CompiledEnvironment: Sendable {
    let id: EnvironmentID
    let name: String
    let revision: Int
    let parent: Int?
    /// The lineage's baseline; itself for an environment without a parent.
    let root: Int
    /// Names this environment in every table; never given to another one, never 0.
    let stamp: UInt32
    /// See ``EnvironmentID/key``.
    let key: UInt64
    /// Canonical name of the context that leads here; empty where none does.
    let context: [UInt8]
    let state: RoutedEnvironment.State
    /// It sleeps, and a request wakes it.
    let wakes: Bool
    let settings: RoutingSettings

    /// Whether a copy of its own that is not ready is worth waiting for.
    func mayBecomeReady(_ copy: CompiledService) -> Bool {
        state == .starting || wakes || (copy.wakes && state == .serving)
    }

    /// A parent that is not in the table, or a lineage that runs in a circle, ends the lineage there: its services are
    /// then unknown rather than somebody else's.
    static func compile(_ environments: [RoutedEnvironment], _ stamps: StampBook) -> [CompiledEnvironment] {
        let indices = Dictionary(environments.enumerated().map { ($1.id, $0) }) { first, _ in first }
        var parents = environments.map { $0.parent.flatMap { indices[$0] } }
        var roots = Array(repeating: -1, count: environments.count)
        for index in environments.indices where roots[index] < 0 {
            var path: [Int] = [index]
            var onPath: Set<Int> = [index]
            while let last = path.last, roots[last] < 0, let parent = parents[last] {
                guard onPath.insert(parent).inserted else {
                    parents[last] = nil
                    break
                }
                path.append(parent)
            }
            // `path` starts with `index`, so it has a last element.
            let end = path[path.count - 1]
            let root = roots[end] < 0 ? end : roots[end]
            for member in path { roots[member] = root }
        }
        return environments.indices.map { index in
            let environment = environments[index]
            return CompiledEnvironment(
                id: environment.id, name: environment.name, revision: environment.revision, parent: parents[index],
                root: roots[index],
                stamp: stamps.stamps[environment.id] ?? 0, key: environment.id.key,
                context: Array((environment.overlayID ?? "").utf8),
                state: environment.state, wakes: environment.wakes == true,
                settings: RoutingSettings(environments[roots[index]]))
        }
    }
}

/// What the baseline says about carriers.
final class RoutingSettings: Sendable {
    /// In lower case.
    let headerName: [UInt8]
    let propagates: Bool
    let answersUnknownFromBaseline: Bool
    let rejectsLeaks: Bool
    let attributesSoleRequests: Bool

    init(_ root: RoutedEnvironment) {
        headerName = Array(root.headerName.lowercased().utf8)
        propagates = root.propagateHeader
        answersUnknownFromBaseline = root.onUnknownContext == .baseline
        rejectsLeaks = root.onLeak == .reject
        attributesSoleRequests = root.attribution == .soleRequest
    }
}

/// Gives environments numbers that last longer than a table; a number is never given twice.
struct StampBook: Sendable {
    private(set) var stamps: [EnvironmentID: UInt32] = [:]
    /// Positions in the table.
    private(set) var positions: [UInt32: Int] = [:]
    private var keys: [UInt64: UInt32] = [:]
    private var next: UInt32 = 1

    init(_ environments: [EnvironmentID], after last: StampBook?) {
        next = last?.next ?? 1
        for (position, id) in environments.enumerated() {
            let stamp = last?.stamps[id] ?? next
            if stamp == next { next += 1 }
            stamps[id] = stamp
            positions[stamp] = position
            keys[id.key] = stamp
        }
    }

    func stamp(keyed key: UInt64) -> UInt32? { keys[key] }
}
