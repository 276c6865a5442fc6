import CPlatform
import HTTPWire

/// The layout of what gateways remember of traces: a table of fixed size in memory that several processes may use at once. An
/// id has one place among the ``ways`` of its bucket, where the newest stay.
///
/// Nobody waits here, and whoever is stopped or killed in the middle costs one place: a place has a version, which is odd while
/// somebody puts another id there, and whoever reads sees whether it has changed meanwhile (a sequence lock, one for each
/// place). A place that is being exchanged counts as empty. What changes of an id that has its place is one word.
///
/// ```
/// head      mark, buckets, a random number, the time of the last broken trace, how many ids had to go before their time, whether
///           anything was ever put (8 bytes each)
/// places    version, high, low, root, context, time (8 bytes each), from byte 4096 on
/// ```
///
/// `@unchecked Sendable`: the memory is made for being shared, and only `msx_load` and its like touch it.
struct TraceTable: @unchecked Sendable {
    struct Entry {
        var id: TraceID
        /// The baseline's key: one trace may pass through several. ``broken`` for a trace that lost its context.
        var root: UInt64
        /// 0 for no context, ``several`` for more than one.
        var context: UInt64
        /// Milliseconds of the machine's clock.
        var at: Int64
    }

    private enum Head: Int {
        case mark, buckets, identity, brokenAt, forgotten, isUsed
    }

    private enum Word: Int {
        case version, high, low, root, context, at
    }

    static let lifetime: Int64 = 10 * 60_000
    static let ways = 8
    static let fewestBuckets = 256
    static let several = UInt64.max
    private static let broken: UInt64 = 0
    /// Of this layout, in this byte order.
    private static let mark: UInt64 = 0x6D73_7874_7263_0001
    private static let placesAt = 4096
    private static let words = 6

    let base: UnsafeMutableRawPointer

    /// In bytes.
    static func size(buckets: Int) -> Int { placesAt + buckets * ways * words * 8 }

    /// Of memory that is all zero and nobody else's yet.
    func make(buckets: Int) {
        msx_store(head(.buckets), UInt64(buckets))
        msx_store(head(.identity), UInt64.random(in: 1...UInt64.max))
        msx_store(head(.mark), Self.mark)
    }

    var isMade: Bool { msx_load(head(.mark)) == Self.mark }
    /// Of the memory, whoever maps it.
    var identity: UInt64 { msx_load_relaxed(head(.identity)) }
    /// A power of two.
    var buckets: Int { Int(truncatingIfNeeded: msx_load_relaxed(head(.buckets))) }
    /// How many ids had to go before their time.
    var forgotten: UInt64 { msx_load_relaxed(head(.forgotten)) }

    func context(of id: TraceID, root: UInt64, now: Int64) -> TraceMemory.Context {
        guard let entry = find(id, root, bucket(id, root))?.entry, entry.at > now - Self.lifetime else {
            return .unknown
        }
        return switch entry.context {
        case 0: .none
        case Self.several: .several
        default: .one(entry.context)
        }
    }

    /// - Parameter context: the key of its environment; 0 for none.
    func saw(_ id: TraceID, root: UInt64, context: UInt64, now: Int64) {
        let bucket = bucket(id, root)
        // Again where somebody else took the place.
        for _ in 0..<16 {
            let known = find(id, root, bucket)
            if let known, known.entry.at > now - Self.lifetime {
                if known.entry.context != context { isSeveral(known.place, known.entry.context) }
                if known.entry.at < now { store(known.place, .at, UInt64(bitPattern: now)) }
                return
            }
            guard let found = known.map({ ($0.place, $0.version) }) ?? oldest(bucket, now) else { break }
            let new = Entry(id: id, root: root, context: context, at: max(1, now))
            if put(new, at: found.0, version: found.1) { return settle(new, found.0, bucket) }
        }
        msx_add(head(.forgotten), 1)
    }

    func breaks(_ id: TraceID, now: Int64) {
        saw(id, root: Self.broken, context: 0, now: now)
        msx_store_relaxed(head(.brokenAt), UInt64(bitPattern: max(1, now)))
    }

    func isBroken(_ id: TraceID, now: Int64) -> Bool {
        let last = Int64(bitPattern: msx_load_relaxed(head(.brokenAt)))
        guard last != 0, last > now - Self.lifetime else { return false }
        return context(of: id, root: Self.broken, now: now) != .unknown
    }

    /// Takes in what another table remembers.
    func add(_ other: TraceTable, now: Int64) {
        // To read all of an empty one would take its memory, and time for which somebody may be waiting.
        guard msx_load(other.head(.isUsed)) != 0 else { return }
        let last = msx_load(other.head(.brokenAt))
        for place in 0..<(other.buckets * Self.ways) {
            guard let entry = other.entry(place)?.entry, entry.at > max(0, now - Self.lifetime) else { continue }
            saw(entry.id, root: entry.root, context: entry.context, now: entry.at)
        }
        if Int64(bitPattern: last) > Int64(bitPattern: msx_load(head(.brokenAt))) { msx_store(head(.brokenAt), last) }
    }

    // MARK: Places

    /// nil where nothing is, or somebody is putting something.
    private func entry(_ place: Int) -> (entry: Entry, version: UInt64)? {
        let version = msx_load(word(place, .version))
        guard version & 1 == 0 else { return nil }
        let entry = Entry(
            id: TraceID(high: load(place, .high), low: load(place, .low)), root: load(place, .root),
            context: load(place, .context), at: Int64(bitPattern: load(place, .at)))
        msx_fence_acquire()
        return load(place, .version) == version && entry.at != 0 ? (entry, version) : nil
    }

    private func find(
        _ id: TraceID, _ root: UInt64, _ bucket: Int, except: Int = -1
    ) -> (place: Int, entry: Entry, version: UInt64)? {
        let start = bucket * Self.ways
        for place in start..<(start + Self.ways) where load(place, .low) == id.low && place != except {
            if let found = entry(place), found.entry.id == id, found.entry.root == root {
                return (place, found.entry, found.version)
            }
        }
        return nil
    }

    /// nil where somebody is putting something into every place.
    private func oldest(_ bucket: Int, _ now: Int64) -> (Int, UInt64)? {
        let start = bucket * Self.ways
        var (oldest, version, time) = (-1, UInt64(0), Int64.max)
        for place in start..<(start + Self.ways) {
            let found = (msx_load(word(place, .version)), Int64(bitPattern: load(place, .at)))
            if found.0 & 1 == 0, found.1 < time { (oldest, version, time) = (place, found.0, found.1) }
        }
        if time != 0, time > now - Self.lifetime { msx_add(head(.forgotten), 1) }
        return oldest >= 0 ? (oldest, version) : nil
    }

    /// - Returns: false where somebody else was faster.
    private func put(_ new: Entry, at place: Int, version: UInt64) -> Bool {
        guard msx_exchange(word(place, .version), version, version &+ 1) != 0 else { return false }
        msx_fence()
        if msx_load_relaxed(head(.isUsed)) == 0 { msx_store(head(.isUsed), 1) }
        store(place, .high, new.id.high)
        store(place, .low, new.id.low)
        store(place, .root, new.root)
        store(place, .context, new.context)
        store(place, .at, UInt64(bitPattern: new.at))
        msx_store(word(place, .version), version &+ 2)
        return true
    }

    /// Two may put the same id at once, each into a place of its own: at least one of them sees the other.
    private func settle(_ new: Entry, _ place: Int, _ bucket: Int) {
        msx_fence()
        guard let other = find(new.id, new.root, bucket, except: place), other.entry.context != new.context,
            other.entry.at > new.at - Self.lifetime
        else { return }
        isSeveral(place, new.context)
        isSeveral(other.place, other.entry.context)
    }

    private func isSeveral(_ place: Int, _ context: UInt64) {
        _ = msx_exchange(word(place, .context), context, Self.several)
    }

    private func bucket(_ id: TraceID, _ root: UInt64) -> Int {
        // Somebody may choose ids that differ little.
        var hash = (id.low ^ root) &* 0x9E37_79B9_7F4A_7C15 ^ id.high
        hash = (hash ^ (hash >> 32)) &* 0xBF58_476D_1CE4_E5B9
        return Int((hash ^ (hash >> 29)) & UInt64(buckets - 1))
    }

    private func head(_ word: Head) -> UnsafeMutablePointer<UInt64> {
        base.assumingMemoryBound(to: UInt64.self) + word.rawValue
    }

    private func word(_ place: Int, _ word: Word) -> UnsafeMutablePointer<UInt64> {
        (base + Self.placesAt).assumingMemoryBound(to: UInt64.self) + (place * Self.words + word.rawValue)
    }

    private func load(_ place: Int, _ word: Word) -> UInt64 { msx_load_relaxed(self.word(place, word)) }

    private func store(_ place: Int, _ word: Word, _ value: UInt64) { msx_store_relaxed(self.word(place, word), value) }
}
