import EnvironmentGraph

/// When each environment was last touched by a request of one event loop. Touching is up to three stores into an array;
/// there is no limit to run into, because there is one place for each environment of the table.
///
/// Positions mean something for one table only, so `install` carries the times over to the next one. Times are those of
/// the worker's clock: milliseconds, 0 for never.
struct ActivityBook {
    private var lastAt: [Int64] = []
    /// Of requests that ended after their table had been replaced.
    private var late: [EnvironmentID: Int64] = [:]

    mutating func touch(_ key: CountKey, at now: Int64, by table: CompiledTable) {
        Self.forEachPosition(key, table) { lastAt[$0] = now }
    }

    mutating func touchLate(_ key: CountKey, at now: Int64, by table: CompiledTable) {
        Self.forEachPosition(key, table) { late[table.environments[$0].id] = now }
    }

    /// What is not in the new table is forgotten.
    mutating func install(_ table: CompiledTable, after old: CompiledTable) {
        if let positions = table.positionsChanged(since: old), lastAt.count == old.environments.count {
            lastAt += repeatElement(0, count: table.environments.count - lastAt.count)
            for position in positions { lastAt[position] = 0 }
            for (environment, time) in late {
                if let position = table.position(of: environment) { lastAt[position] = max(time, lastAt[position]) }
            }
            late = [:]
            return
        }
        let times = times(by: old)
        late = [:]
        lastAt = table.environments.map { times[$0.id] ?? 0 }
    }

    /// The environments that were touched at all.
    func times(by table: CompiledTable) -> [EnvironmentID: Int64] {
        var times = late
        for (position, time) in lastAt.enumerated() where time > 0 {
            let environment = table.environments[position].id
            times[environment] = max(time, times[environment] ?? 0)
        }
        return times
    }

    /// The environments that a request needs, each as its position in `table`; one may come several times.
    @inline(__always)
    static func forEachPosition(_ key: CountKey, _ table: CompiledTable, _ body: (Int) -> Void) {
        if key.environment >= 0 { body(Int(key.environment)) }
        if key.context >= 0, key.context != key.environment { body(Int(key.context)) }
        if key.service >= 0 { body(table.services[Int(key.service)].environment) }
    }
}

/// Something that a session has under way.
struct OpenWork {
    let key: CountKey
    let table: CompiledTable
    let isTunnel: Bool
}

/// What one event loop knows of its environments' activity, in milliseconds ago.
struct LoopActivity: Sendable {
    var lastAgo: [EnvironmentID: Int64] = [:]
    var openRequests: [EnvironmentID: Int] = [:]
    var openConnections: [EnvironmentID: Int] = [:]

    mutating func add(_ work: OpenWork) {
        // One request needs an environment once, in however many roles.
        var needed: Set<EnvironmentID> = []
        ActivityBook.forEachPosition(work.key, work.table) { needed.insert(work.table.environments[$0].id) }
        for environment in needed {
            if work.isTunnel {
                openConnections[environment, default: 0] += 1
            } else {
                openRequests[environment, default: 0] += 1
            }
        }
    }

    mutating func add(_ other: LoopActivity) {
        lastAgo.merge(other.lastAgo, uniquingKeysWith: min)
        openRequests.merge(other.openRequests, uniquingKeysWith: +)
        openConnections.merge(other.openConnections, uniquingKeysWith: +)
    }

    func snapshot(startedAt: Int64, now: Int64) -> ActivitySnapshot {
        let known = Set(lastAgo.keys).union(openRequests.keys).union(openConnections.keys)
        return ActivitySnapshot(
            startedAt: startedAt, now: now,
            environments: known.sorted().map { environment in
                EnvironmentActivity(
                    environment: environment, lastRequestAt: lastAgo[environment].map { now - max(0, $0) },
                    openRequests: openRequests[environment] ?? 0,
                    openConnections: openConnections[environment] ?? 0)
            })
    }
}
