import Blueprints
import EnvironmentGraph
import HTTPWire
import Synchronization

/// A `RoutingTable` made ready for looking up: immutable, shared by all event loops.
///
/// A lookup walks up the lineage (overlay, its parents, baseline) and costs one hash per step, whatever the number of
/// environments. Nothing here allocates once compiled.
///
/// One table is made out of another (`CompiledTable+Changing`) and shares with it all that did not change: positions of
/// environments and numbers of services and listeners stay what they were, and those of what is gone are given again.
final class CompiledTable: Sendable {
    let version: UInt64
    /// By position; one that is gone leaves ``CompiledEnvironment/gone``.
    let environments: SharedArray<CompiledEnvironment>
    let services: ServiceList
    /// By port.
    let listeners: PortMap
    /// By number; nil where the table names an environment that it does not have, or it is gone.
    let numberedListeners: SharedArray<CompiledListener?>
    let environmentCount: Int
    /// What the next table goes on from.
    let books: TableBooks
    // Of the books, and here once more so that a lookup holds nothing but this table.
    private let contexts: ByteMap
    private let ownServices: ByteMap
    private let names: ByteMap
    private let steps: SharedArray<LineageStep>
    private let everyService: SharedArray<CompiledService?>
    /// Names this table in this process.
    let serial: UInt64
    /// The table that this one was made out of, and the positions where another environment is now.
    private let changed: (from: UInt64, positions: [Int])?

    static let tombstone = Int(Int32.max)
    private static let serials = Atomic<UInt64>(0)

    static let empty = CompiledTable(RoutingTable(), after: nil)

    init(_ parts: TableParts, version: UInt64, changed: (from: UInt64, positions: [Int])?) {
        self.version = version
        self.changed = changed
        environments = parts.environments
        services = ServiceList(everything: parts.services)
        listeners = parts.listeners
        numberedListeners = parts.numberedListeners
        environmentCount = parts.environmentCount
        books = parts.books
        contexts = parts.books.contexts
        ownServices = parts.books.ownServices
        names = parts.books.names
        steps = parts.books.steps
        everyService = parts.services
        serial = Self.serials.add(1, ordering: .relaxed).newValue
    }

    /// Compiles all of it.
    ///
    /// - Parameter last: the numbers of its endpoints and the stamps of its environments stay the same.
    convenience init(_ table: RoutingTable, after last: CompiledTable?) {
        self.init(TableParts(table, after: last), version: table.version, changed: nil)
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

    func has(_ id: EnvironmentID) -> Bool { books.stamps.position(of: id) != nil }

    func position(of id: EnvironmentID) -> Int? { books.stamps.position(of: id) }

    /// `nil` where that environment is gone.
    func environment(stamped stamp: UInt32) -> Int? { books.stamps.position(stamped: stamp) }

    /// `nil` where that environment is gone, or not known here yet; see ``EnvironmentID/key``.
    func environment(keyed key: UInt64) -> Int? { books.stamps.stamp(keyed: key).flatMap(environment(stamped:)) }

    func environment(named name: UnsafeRawBufferPointer) -> Int? { names.find(0, name) }

    /// The positions at which `old` had another environment or none; `nil` where this table was not made out of it.
    func positionsChanged(since old: CompiledTable) -> [Int]? {
        changed.flatMap { $0.from == old.serial ? $0.positions : nil }
    }

    /// The first of the environment and its ancestors that has the service or has removed it.
    func resolve(_ service: UnsafeRawBufferPointer, in environment: Int) -> Resolution {
        var current = environment
        let mark = LineageStep.mark(service)
        while true {
            let step = steps[current]
            if step.marks & mark != 0, let found = ownServices.find(UInt32(current), service) {
                return found == Self.tombstone ? .removed : .found(everyService[found].unsafelyUnwrapped)
            }
            guard step.parent >= 0 else { return .unknown }
            current = Int(step.parent)
        }
    }
}

/// What a lookup needs to know of an environment on its way up: little, so that those of all environments stay near.
struct LineageStep: Sendable {
    /// -1 for none.
    var parent: Int32 = -1
    /// Has the mark of every name that the environment runs or removed; most that it does not have, it has no mark of.
    var marks: UInt32 = 0

    init() {}

    init(parent: Int?, of routed: RoutedEnvironment) {
        self.parent = Int32(parent ?? -1)
        for name in routed.services.lazy.map(\.name) + routed.removed {
            marks |= Array(name.utf8).withUnsafeBytes(Self.mark)
        }
    }

    /// One bit, by the length of a name and its last two letters.
    @inline(__always)
    static func mark(_ name: UnsafeRawBufferPointer) -> UInt32 {
        guard name.count > 1 else { return 1 }
        let last = UInt32(asciiLowercased(name[name.count - 1]))
        let before = UInt32(asciiLowercased(name[name.count - 2]))
        return 1 << ((UInt32(truncatingIfNeeded: name.count) &* 7 &+ last &+ before &* 11) & 31)
    }
}

/// The copies of services, by number.
struct ServiceList: Sendable {
    /// `nil` at numbers that are free.
    let everything: SharedArray<CompiledService?>

    /// Only numbers that this table gave are asked for, and those are taken.
    @inline(__always)
    subscript(number: Int) -> CompiledService { everything[number].unsafelyUnwrapped }

}

/// Listeners by port.
struct PortMap: Sendable {
    private var all = SharedArray<CompiledListener?>(repeating: nil, count: 1 << 16)

    subscript(port: Int) -> CompiledListener? {
        get { all.indices.contains(port) ? all[port] : nil }
        set { if all.indices.contains(port) { all[port] = newValue } }
    }
}

/// What a table finds by names, and what the next one has to know of it.
struct TableBooks: Sendable {
    /// (root, overlay id) → environment.
    var contexts = ByteMap()
    /// (environment, service name) → service, or `tombstone`.
    var ownServices = ByteMap()
    /// (0, environment's name) → environment.
    var names = ByteMap()
    var stamps = StampBook()
    /// By position: what a lookup walks along.
    var steps = SharedArray<LineageStep>()
    /// By what they hold a certificate against: made once, because that is dear.
    var tls: [PortTLS: ServiceTLS] = [:]
    /// Of endpoints that were ever given a number.
    var nextEndpoint = 0
    /// By position: who would have to be compiled anew with it.
    var dependents = SharedArray<Dependents>()
    var freeEnvironments = FreePlaces()
    var freeServices = FreePlaces()
    var freeListeners = FreePlaces()
    /// Something is named twice or leads to nothing, so that what one entry means depends on the others: such a table is
    /// only ever compiled whole.
    var isIrregular = false

    struct Dependents: Sendable {
        var children: Int32 = 0
        var listeners: Int32 = 0
    }
}
