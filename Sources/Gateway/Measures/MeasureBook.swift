import EnvironmentGraph

/// Rate, errors and duration of requests by (environment, service, provider), of one event loop. Adding takes one hash of
/// an integer and no memory once the key is known; there is one row for each key and a last one for all beyond the most.
///
/// Positions mean something for one table only, so `fold` turns them into names when the table changes.
struct MeasureBook {
    private let maxKeys: Int
    private let mask: Int
    /// Open addressing at a load of at most one half; 0 is free.
    private var keys: [UInt64]
    private var places: [Int32]
    /// The rows one after another. Row 0 is of what is beyond the most.
    private var numbers: [UInt64]
    private var count = 0
    private var folded: [MeasureName: MeasureRow] = [:]

    init(maxKeys: Int) {
        self.maxKeys = max(1, maxKeys)
        var slots = 64
        while slots < 2 * self.maxKeys { slots *= 2 }
        mask = slots - 1
        keys = Array(repeating: 0, count: slots)
        places = Array(repeating: 0, count: slots)
        numbers = Array(repeating: 0, count: MeasureRow.width)
        numbers.reserveCapacity(MeasureRow.width * 64)
    }

    /// - Parameters:
    ///   - status: 0 where no answer came.
    ///   - duration: nanoseconds.
    mutating func add(_ key: CountKey, status: UInt16, duration: UInt64) {
        let start = row(Self.packed(key)) * MeasureRow.width
        let statusClass = min(5, Int(status) / 100)
        numbers[start + statusClass] &+= 1
        if statusClass == 0 || statusClass == 5 || key.fault != nil { numbers[start + MeasureRow.errors] &+= 1 }
        numbers[start + MeasureRow.buckets + MeasureRow.bucket(of: duration)] &+= 1
        numbers[start + MeasureRow.sum] &+= duration
    }

    /// Of a request that ended after its table had been replaced.
    mutating func addLate(_ key: CountKey, status: UInt16, duration: UInt64, _ table: CompiledTable) {
        var row = MeasureRow()
        row.add(status: status, isError: key.fault != nil, duration: duration)
        fold(Self.name(Self.packed(key), table), row)
    }

    /// In whose name the request is, whose copy was found, and whether that was asked.
    private static func packed(_ key: CountKey) -> UInt64 {
        let environment = key.context >= 0 ? key.context : key.environment
        return UInt64(UInt32(environment + 1)) << 32 | UInt64(UInt32(key.service + 1)) << 1 | (key.isProvider ? 1 : 0)
    }

    private mutating func row(_ packed: UInt64) -> Int {
        let key = packed &+ 1
        var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
        while keys[slot] != 0 {
            if keys[slot] == key { return Int(places[slot]) }
            slot = (slot + 1) & mask
        }
        guard count + folded.count < maxKeys else { return 0 }
        count += 1
        keys[slot] = key
        places[slot] = Int32(count)
        numbers.append(contentsOf: repeatElement(0, count: MeasureRow.width))
        return count
    }

    /// - Parameter next: what was measured of environments that are gone from it is forgotten once half of the room is
    ///   used.
    mutating func fold(_ table: CompiledTable, before next: CompiledTable? = nil) {
        for (slot, key) in keys.enumerated() where key != 0 {
            fold(Self.name(key &- 1, table), MeasureRow(numbers, Int(places[slot])))
            keys[slot] = 0
        }
        count = 0
        numbers.removeSubrange(MeasureRow.width...)
        guard let next, folded.count > maxKeys / 2 else { return }
        folded = folded.filter { next.has($0.key.environment) }
    }

    private mutating func fold(_ name: MeasureName, _ row: MeasureRow) {
        if folded[name] != nil || folded.count < maxKeys {
            folded[name, default: MeasureRow()].add(row)
        } else {
            var beyond = MeasureRow(numbers, 0)
            beyond.add(row)
            for (index, number) in beyond.numbers.enumerated() { numbers[index] = number }
        }
    }

    private static func name(_ packed: UInt64, _ table: CompiledTable) -> MeasureName {
        let environment = Int(packed >> 32) - 1
        let service = Int((packed & 0xFFFF_FFFF) >> 1) - 1
        let copy = service >= 0 ? table.services[service] : nil
        return MeasureName(
            environment: environment >= 0 ? table.environments[environment].id : EnvironmentID(rawValue: ""),
            service: copy?.name ?? "",
            provider: packed & 1 == 1 ? copy.map { table.environments[$0.environment].id } : nil)
    }

    /// By name, and what was beyond the most.
    func merged(with table: CompiledTable) -> MeasureSnapshot {
        var copy = self
        copy.fold(table)
        return MeasureSnapshot(
            series: copy.folded.map { MeasureSnapshot.Series(name: $0.key, row: $0.value) },
            beyond: MeasureRow(copy.numbers, 0))
    }
}

/// Whose requests are measured together.
package struct MeasureName: Sendable, Hashable, Codable {
    /// In whose name the requests are: their context, else whose address was used.
    package var environment: EnvironmentID
    /// Empty where nobody has it.
    package var service: String
    /// Whose copy was asked; `nil` where the gateway answered by itself.
    package var provider: EnvironmentID?
}

/// What is known of some requests.
package struct MeasureRow: Sendable, Hashable, Codable {
    /// Upper ends of the histogram's buckets, in nanoseconds; one more takes the rest.
    package static let bounds: [UInt64] = [
        1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000,
        1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]
    static let errors = 6
    static let buckets = 7
    static let sum = buckets + 14
    static let width = sum + 1

    /// Six classes of status (no answer, 1xx … 5xx), errors, the buckets, and the sum of all durations in nanoseconds.
    fileprivate(set) var numbers: [UInt64]

    init() { numbers = Array(repeating: 0, count: Self.width) }

    fileprivate init(_ all: [UInt64], _ row: Int) {
        numbers = Array(all[(row * Self.width)..<((row + 1) * Self.width)])
    }

    /// By the first digit of the status; 0 for no answer.
    package var classes: [UInt64] { Array(numbers[..<Self.errors]) }
    /// No answer, 5xx, or the gateway answered by itself.
    package var errors: UInt64 { numbers[Self.errors] }
    package var counts: [UInt64] { Array(numbers[Self.buckets..<Self.sum]) }
    package var seconds: Double { Double(numbers[Self.sum]) / 1e9 }
    package var total: UInt64 { classes.reduce(0, +) }

    @inline(__always)
    static func bucket(of duration: UInt64) -> Int {
        var index = 0
        while index < bounds.count, duration > bounds[index] { index += 1 }
        return index
    }

    mutating func add(status: UInt16, isError: Bool, duration: UInt64) {
        let statusClass = min(5, Int(status) / 100)
        numbers[statusClass] += 1
        if statusClass == 0 || statusClass == 5 || isError { numbers[Self.errors] += 1 }
        numbers[Self.buckets + Self.bucket(of: duration)] += 1
        numbers[Self.sum] &+= duration
    }

    mutating func add(_ other: MeasureRow) {
        for (index, number) in other.numbers.enumerated() where index < numbers.count { numbers[index] &+= number }
    }
}

/// `GET /measures` of the control socket.
package struct MeasureSnapshot: Sendable, Hashable, Codable {
    package struct Series: Sendable, Hashable, Codable {
        package var name: MeasureName
        package var row: MeasureRow
    }

    package var series: [Series]
    /// Of what was beyond the most that is measured apart.
    package var beyond: MeasureRow
    package var spans = SpanCounts(recorded: 0, lost: 0)
    package var exports = ExportCounts()

    /// - Parameter maxSeries: the busiest stay apart.
    static func merged(_ all: [MeasureSnapshot], maxSeries: Int) -> MeasureSnapshot {
        var rows: [MeasureName: MeasureRow] = [:]
        var beyond = MeasureRow()
        for snapshot in all {
            beyond.add(snapshot.beyond)
            for series in snapshot.series { rows[series.name, default: MeasureRow()].add(series.row) }
        }
        var series = rows.map { Series(name: $0.key, row: $0.value) }
        series.sort { ($1.row.total, $0.name) < ($0.row.total, $1.name) }
        for left in series.dropFirst(maxSeries) { beyond.add(left.row) }
        return MeasureSnapshot(series: Array(series.prefix(maxSeries)), beyond: beyond)
    }
}

extension MeasureName: Comparable {
    package static func < (left: Self, right: Self) -> Bool {
        (left.environment, left.service, left.provider?.rawValue ?? "")
            < (right.environment, right.service, right.provider?.rawValue ?? "")
    }
}
