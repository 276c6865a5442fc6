import HTTPWire
import NIOCore
import Synchronization

/// Carrier 4: in which context each trace was seen lately, for callers that forward nothing but a trace id.
///
/// Shared by all event loops, as the hops of one trace come over different connections, and by all gateways of one server on
/// one machine, whose hops may follow one another: what one has seen, every other knows before the request goes on.
/// A trace that was seen without a context is remembered as well, and one that was seen in two contexts says nothing any more:
/// somebody uses one id for several requests.
///
/// `@unchecked Sendable`: the addresses are of regions that are kept for as long as anybody may read them.
final class TraceMemory: @unchecked Sendable {
    enum Context: Equatable {
        /// Not seen within the last ``TraceTable/lifetime``.
        case unknown
        case none
        /// The key of its environment (``EnvironmentID/key``).
        case one(UInt64)
        case several
    }

    private struct Regions {
        var current: TraceRegion
        var previous: TraceRegion?
        /// Somebody may still read in them, for no longer than it takes to read.
        var retired: [(region: TraceRegion, at: NIODeadline)] = []
    }

    /// Those whose hops somebody wants to be told.
    let explains = ExplainBook()

    static let lifetime = TraceTable.lifetime
    /// A long time for a reader that was interrupted in the middle of an entry.
    private static let longestLook = TimeAmount.seconds(30)

    private let regions: Mutex<Regions>
    private let current: Atomic<UnsafeMutableRawPointer>
    /// What was used before it, and until when it counts: an id that is in there alone is being taken over.
    private let previous = Atomic<UnsafeMutableRawPointer?>(nil)
    private let previousUntil = Atomic<Int64>(0)
    /// Milliseconds; taking over needs some tens.
    private static let takingOver: Int64 = 10_000

    /// - Parameter capacity: see ``TraceRegion/init(capacity:)``.
    init(capacity: Int = 1 << 20) {
        do {
            let region = try TraceRegion(capacity: capacity)
            regions = Mutex(Regions(current: region))
            current = Atomic(region.table.base)
        } catch {
            preconditionFailure(error.description)
        }
    }

    private var table: TraceTable { TraceTable(base: current.load(ordering: .acquiring)) }

    /// How many ids had to go before their time: more came than there is room for.
    var forgotten: UInt64 { table.forgotten }

    func context(of id: TraceID, root: UInt64, now: Int64) -> Context {
        let found = table.context(of: id, root: root, now: now)
        guard found == .unknown, now < previousUntil.load(ordering: .acquiring),
            let before = previous.load(ordering: .acquiring)
        else { return found }
        return TraceTable(base: before).context(of: id, root: root, now: now)
    }

    /// - Parameter context: the key of its environment; 0 for none.
    func saw(_ id: TraceID, root: UInt64, context: UInt64, now: Int64) {
        table.saw(id, root: root, context: context, now: now)
    }

    /// A call within these traces has lost its context.
    func breaks(_ traces: [TraceID], now: Int64) {
        for trace in traces { table.breaks(trace, now: now) }
    }

    func isBroken(_ trace: TraceID, now: Int64) -> Bool { table.isBroken(trace, now: now) }

    // MARK: Sharing

    /// What other gateways may map; valid as long as the region is held.
    var region: TraceRegion { regions.withLock { $0.current } }

    /// From now on this memory is the other gateway's too. What is in this one comes along.
    ///
    /// - Parameter descriptor: of that gateway's ``TraceRegion``; becomes this memory's own.
    func share(_ descriptor: Int32, now: Int64) throws(TraceRegion.Failure) {
        let theirs = try TraceRegion(adopting: descriptor)
        let own = regions.withLock { regions -> TraceRegion? in
            guard !regions.current.isSame(as: theirs) else { return nil }
            let time = NIODeadline.now()
            regions.retired.removeAll { time - $0.at > Self.longestLook }
            if let previous = regions.previous { regions.retired.append((previous, time)) }
            regions.previous = regions.current
            regions.current = theirs
            previousUntil.store(now + Self.takingOver, ordering: .releasing)
            previous.store(regions.previous?.table.base, ordering: .releasing)
            current.store(theirs.table.base, ordering: .releasing)
            return regions.previous
        }
        guard let own else { return }
        // Twice: a loop that had the old table in its hand may still write there.
        for _ in 0..<2 { theirs.table.add(own.table, now: now) }
    }
}
