import Blueprints
import EnvironmentGraph

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
    /// Numbers of its own services, and the names of what it removed: what goes with it.
    var services: [Int32] = []
    var removed: [String] = []

    /// In the place of one that has left the table; nothing leads to it.
    static let gone = CompiledEnvironment(
        RoutedEnvironment(id: EnvironmentID(rawValue: ""), name: "", revision: 0, state: .failed), parent: nil, root: 0,
        stamp: 0,
        settings: RoutingSettings(
            RoutedEnvironment(id: EnvironmentID(rawValue: ""), name: "", revision: 0, state: .failed)))

    init(_ routed: RoutedEnvironment, parent: Int?, root: Int, stamp: UInt32, settings: RoutingSettings) {
        id = routed.id
        name = routed.name
        revision = routed.revision
        self.parent = parent
        self.root = root
        self.stamp = stamp
        key = routed.id.key
        context = Array((routed.overlayID ?? "").utf8)
        state = routed.state
        wakes = routed.wakes == true
        self.settings = settings
    }

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
        var settings: [Int: RoutingSettings] = [:]
        for root in roots where settings[root] == nil { settings[root] = RoutingSettings(environments[root]) }
        return environments.indices.map { index in
            CompiledEnvironment(
                environments[index], parent: parents[index], root: roots[index],
                stamp: stamps.stamp(of: environments[index].id) ?? 0,
                settings: settings[roots[index]] ?? RoutingSettings(environments[roots[index]]))
        }
    }
}

/// What the baseline says about carriers; shared by all of its overlays.
final class RoutingSettings: Sendable, Equatable {
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

    static func == (left: RoutingSettings, right: RoutingSettings) -> Bool {
        left.headerName == right.headerName && left.propagates == right.propagates
            && left.answersUnknownFromBaseline == right.answersUnknownFromBaseline
            && left.rejectsLeaks == right.rejectsLeaks && left.attributesSoleRequests == right.attributesSoleRequests
    }
}

/// Gives environments numbers that last longer than a table; a number is never given twice.
struct StampBook: Sendable {
    /// (hash of the id, id) → stamp. Ids are told apart by case, which the map alone would not do.
    private var stamps = ByteMap()
    /// (0, ``EnvironmentID/key``) → stamp.
    private var keys = ByteMap()
    /// By stamp; -1 where that environment is gone.
    private var positions = SharedArray<Int32>()

    init() { positions.append(-1) }

    init(_ environments: [EnvironmentID], after last: StampBook?) {
        self.init()
        if let last { positions = SharedArray(repeatElement(-1, count: last.positions.count)) }
        for (position, id) in environments.enumerated() {
            let stamp = stamp(of: id) ?? last?.stamp(of: id)
            // Of two with one id the last counts, as it always has.
            add(id, at: position, stamp: stamp)
        }
    }

    func stamp(of id: EnvironmentID) -> UInt32? {
        stamps.find(Self.tag(id), id.rawValue).map { UInt32($0) }
    }

    /// See ``EnvironmentID/key``.
    func stamp(keyed key: UInt64) -> UInt32? {
        Self.withName(of: key) { keys.find(0, $0) }.map { UInt32($0) }
    }

    func position(of id: EnvironmentID) -> Int? { stamp(of: id).flatMap(position(stamped:)) }

    func position(stamped stamp: UInt32) -> Int? {
        guard stamp < positions.count else { return nil }
        let position = positions[Int(stamp)]
        return position < 0 ? nil : Int(position)
    }

    /// - Parameter stamp: that it has already; `nil` for a new one.
    @discardableResult
    mutating func add(_ id: EnvironmentID, at position: Int, stamp: UInt32? = nil) -> UInt32 {
        let stamp = stamp ?? UInt32(positions.count)
        if Int(stamp) == positions.count { positions.append(-1) }
        stamps.insert(Self.tag(id), id.rawValue, Int(stamp))
        keys.insert(0, Self.withName(of: id.key) { Array($0) }, Int(stamp))
        positions[Int(stamp)] = Int32(position)
        return stamp
    }

    mutating func remove(_ id: EnvironmentID) {
        if let stamp = stamp(of: id) { positions[Int(stamp)] = -1 }
        stamps.remove(Self.tag(id), Array(id.rawValue.utf8))
        keys.remove(0, Self.withName(of: id.key) { Array($0) })
    }

    /// Sixteen letters from `a` to `p`: the map does not tell upper from lower case, and these fit into a slot.
    private static func withName<Answer>(of key: UInt64, _ body: (UnsafeRawBufferPointer) -> Answer) -> Answer {
        var words = (Self.letters(UInt32(truncatingIfNeeded: key)), Self.letters(UInt32(truncatingIfNeeded: key >> 32)))
        return withUnsafeBytes(of: &words) { body($0) }
    }

    private static func letters(_ half: UInt32) -> UInt64 {
        // Four bits into each byte.
        var spread = UInt64(half)
        spread = (spread | spread << 16) & 0x0000_FFFF_0000_FFFF
        spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF
        spread = (spread | spread << 4) & 0x0F0F_0F0F_0F0F_0F0F
        return spread &+ 0x6161_6161_6161_6161
    }

    private static func tag(_ id: EnvironmentID) -> UInt32 {
        var hash: UInt32 = 2_166_136_261
        for byte in id.rawValue.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        return hash
    }
}
