#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import HTTPWire
import Synchronization

/// Carrier 4: in which context each trace was seen lately, for callers that forward nothing but a trace id.
///
/// Shared by all event loops, as the hops of one trace come over different connections. A trace that was seen without a
/// context is remembered as well, and one that was seen in two contexts says nothing any more: somebody uses one id for
/// several requests. A table of fixed size: an id has one place among the ``ways`` of its bucket, where the newest stay.
///
/// `@unchecked Sendable`: each stripe of the entries is touched under its lock only.
final class TraceMemory: @unchecked Sendable {
    enum Context: Equatable {
        /// Not seen within the last ``lifetime``.
        case unknown
        case none
        /// The stamp of its environment (``CompiledEnvironment/stamp``).
        case one(UInt32)
        case several
    }

    /// 32 bytes, all zero where there is none.
    private struct Entry {
        var high: UInt64
        var low: UInt64
        /// The baseline's stamp: one trace may pass through several.
        var root: UInt32
        /// 0 for no context, ``several`` for more than one.
        var context: UInt32
        /// Milliseconds; 0 where the place is free.
        var at: Int64
    }

    /// Those whose hops somebody wants to be told.
    let explains = ExplainBook()

    static let lifetime: Int64 = 10 * 60_000
    static let ways = 8
    private static let several = UInt32.max
    private static let stripes = 256

    /// Traces in which a context was lost: few, else somebody has other worries.
    private let broken = Mutex<[TraceID: Int64]>([:])
    private let brokenCount = Atomic<Int>(0)
    private static let brokenLimit = 10_000

    private let locks: [Lock]
    private let entries: UnsafeMutablePointer<Entry>
    private let mask: UInt64

    private final class Lock: Sendable {
        let mutex = Mutex(())
    }

    /// - Parameter capacity: how many ids are remembered at most, rounded up to a power of two; 32 bytes each, of which
    ///   memory is taken as they come.
    init(capacity: Int = 1 << 20) {
        var buckets = Self.stripes
        while buckets * Self.ways < capacity { buckets *= 2 }
        mask = UInt64(buckets - 1)
        locks = (0..<Self.stripes).map { _ in Lock() }
        // Zeroed by the kernel when it is first touched.
        guard let memory = calloc(buckets * Self.ways, MemoryLayout<Entry>.stride) else {
            preconditionFailure("no memory for \(capacity) trace ids")
        }
        entries = memory.bindMemory(to: Entry.self, capacity: buckets * Self.ways)
    }

    deinit { free(entries) }

    func context(of id: TraceID, root: UInt32, now: Int64) -> Context {
        let bucket = bucket(id, root)
        return locks[bucket % Self.stripes].mutex.withLock { _ in
            guard let place = find(id, root, bucket), entries[place].at > now - Self.lifetime else { return .unknown }
            return switch entries[place].context {
            case 0: .none
            case Self.several: .several
            default: .one(entries[place].context)
            }
        }
    }

    /// - Parameter context: the stamp of its environment; 0 for none.
    func saw(_ id: TraceID, root: UInt32, context: UInt32, now: Int64) {
        let bucket = bucket(id, root)
        locks[bucket % Self.stripes].mutex.withLock { _ in
            let known = find(id, root, bucket)
            if let place = known, entries[place].at > now - Self.lifetime {
                if entries[place].context != context { entries[place].context = Self.several }
                entries[place].at = max(1, now)
            } else {
                entries[known ?? oldest(bucket)] = Entry(
                    high: id.high, low: id.low, root: root, context: context, at: max(1, now))
            }
        }
    }

    // MARK: Handing over

    /// No environment has it: what was seen in one that is gone is refused, not answered by the baseline.
    static let goneStamp = UInt32.max - 1

    /// What was seen lately, for the gateway that follows on this machine: 32 bytes for each id, in this process's stamps.
    func remembered(now: Int64) -> [UInt8] {
        var bytes: [UInt8] = []
        for stripe in 0..<Self.stripes {
            locks[stripe].mutex.withLock { _ in
                for bucket in stride(from: stripe, to: Int(mask) + 1, by: Self.stripes) {
                    for place in (bucket * Self.ways)..<((bucket + 1) * Self.ways)
                    where entries[place].at > now - Self.lifetime {
                        withUnsafeBytes(of: entries[place]) { bytes.append(contentsOf: $0) }
                    }
                }
            }
        }
        return bytes
    }

    /// Takes in what ``remembered(now:)`` of the gateway before gave; the clock is the machine's.
    ///
    /// - Parameter stamp: what that gateway's stamp is here; nil where its environment is gone.
    func remember(_ bytes: [UInt8], now: Int64, stamp: (UInt32) -> UInt32?) {
        let size = MemoryLayout<Entry>.stride
        bytes.withUnsafeBytes { bytes in
            for start in stride(from: 0, through: bytes.count - size, by: size) {
                let entry = bytes.loadUnaligned(fromByteOffset: start, as: Entry.self)
                guard entry.at > now - Self.lifetime, let root = stamp(entry.root) else { continue }
                let isNamed = entry.context != 0 && entry.context != Self.several
                let context = isNamed ? stamp(entry.context) ?? Self.goneStamp : entry.context
                saw(TraceID(high: entry.high, low: entry.low), root: root, context: context, now: entry.at)
            }
        }
    }

    // MARK: Broken traces

    func breaks(_ traces: [TraceID], now: Int64) {
        broken.withLock { broken in
            if broken.count + traces.count > Self.brokenLimit {
                broken = broken.filter { $0.value > now - Self.lifetime / 10 }
                if broken.count + traces.count > Self.brokenLimit { broken = [:] }
            }
            for trace in traces { broken[trace] = now }
            brokenCount.store(broken.count, ordering: .relaxed)
        }
    }

    /// Whether a call within the trace has lost its context.
    func isBroken(_ trace: TraceID, now: Int64) -> Bool {
        guard brokenCount.load(ordering: .relaxed) > 0 else { return false }
        return broken.withLock { broken in broken[trace].map { $0 > now - Self.lifetime } ?? false }
    }

    private func bucket(_ id: TraceID, _ root: UInt32) -> Int {
        // Somebody may choose ids that differ little.
        var hash = (id.low ^ UInt64(root)) &* 0x9E37_79B9_7F4A_7C15 ^ id.high
        hash = (hash ^ (hash >> 32)) &* 0xBF58_476D_1CE4_E5B9
        return Int((hash ^ (hash >> 29)) & mask)
    }

    private func find(_ id: TraceID, _ root: UInt32, _ bucket: Int) -> Int? {
        let start = bucket * Self.ways
        for place in start..<(start + Self.ways) {
            let entry = entries[place]
            if entry.low == id.low, entry.high == id.high, entry.root == root, entry.at != 0 { return place }
        }
        return nil
    }

    private func oldest(_ bucket: Int) -> Int {
        let start = bucket * Self.ways
        var oldest = start
        for place in start..<(start + Self.ways) where entries[place].at < entries[oldest].at { oldest = place }
        return oldest
    }
}
