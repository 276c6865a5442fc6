import EnvironmentGraph

/// Who called whom, in positions of one table.
struct CountKey: Hashable {
    /// -1: the shared edge port.
    var listener: Int32
    var environment: Int32
    /// Number of the copy that was found; -1 for none.
    var service: Int32
    var context: Int32
    /// Whether the copy was asked; otherwise the gateway answered by itself.
    var isProvider: Bool
    var fault: GatewayFault?
    var leak: CallLeak?
}

/// What was counted so far, with how much was not.
package struct CountSnapshot: Sendable, Hashable, Codable {
    package var calls: [CallCount]
    /// Calls beyond the most keys that are counted apart.
    package var overflow: UInt64
    /// Requests whose carriers named different contexts; the earlier carrier won.
    package var disagreements: UInt64
    /// Since when, in milliseconds since 1970, UTC; nil from a gateway of an older version. A gateway that starts anew
    /// counts anew, so of two answers with different starts the second is no continuation of the first.
    package var startedAt: Int64?
    /// TLS with clients; nil from a gateway of an older version.
    package var handshakes: HandshakeCounts?

    package init(
        calls: [CallCount], overflow: UInt64, disagreements: UInt64, startedAt: Int64? = nil,
        handshakes: HandshakeCounts? = nil
    ) {
        self.handshakes = handshakes
        self.calls = calls
        self.overflow = overflow
        self.disagreements = disagreements
        self.startedAt = startedAt
    }
}

/// TLS handshakes with clients.
package struct HandshakeCounts: Sendable, Hashable, Codable {
    package var completed: UInt64
    /// Refused by one side, broken off, or not completed in time.
    package var failed: UInt64

    package init(completed: UInt64, failed: UInt64) {
        self.completed = completed
        self.failed = failed
    }
}

/// Counts of one event loop. Adding takes one hash and no memory once the key is known.
///
/// Positions mean something for one table only, so `fold` turns them into names when the table changes.
struct CountBook {
    private let maxKeys: Int
    private var current = KeyCounts()
    private var folded: [CallCount: UInt64] = [:]
    private(set) var overflow: UInt64 = 0

    init(maxKeys: Int) { self.maxKeys = maxKeys }

    mutating func add(_ key: CountKey) {
        if !current.add(key, limit: maxKeys - folded.count) { overflow += 1 }
    }

    mutating func addFolded(_ key: CountKey, _ table: CompiledTable) { add(key, 1, table) }

    mutating func fold(_ table: CompiledTable) {
        for (key, count) in current.removeAll() { add(key, count, table) }
    }

    /// As ``fold(_:)``, and makes room: what was counted between environments that are all gone from the next table is
    /// forgotten once half of the room is used.
    mutating func fold(_ table: CompiledTable, before next: CompiledTable) {
        fold(table)
        guard folded.count > maxKeys / 2 else { return }
        folded = folded.filter { call, _ in
            next.has(call.callerEnvironment) || call.context.map(next.has) == true
                || call.provider.map(next.has) == true
        }
    }

    func merged(with table: CompiledTable) -> [CallCount] {
        var copy = self
        copy.fold(table)
        return copy.folded.map { call, count in
            var call = call
            call.count = count
            return call
        }
    }

    private mutating func add(_ key: CountKey, _ count: UInt64, _ table: CompiledTable) {
        let call = Self.call(key, table)
        if folded[call] == nil, folded.count + current.count >= maxKeys {
            overflow += count
            return
        }
        folded[call, default: 0] += count
    }

    private static func call(_ key: CountKey, _ table: CompiledTable) -> CallCount {
        let listener = key.listener >= 0 ? table.numberedListeners[Int(key.listener)] : nil
        let service = key.service >= 0 ? table.services[Int(key.service)] : nil
        func id(_ position: Int) -> EnvironmentID { table.environments[position].id }
        return CallCount(
            caller: listener?.caller ?? "edge",
            callerEnvironment: key.environment >= 0 ? id(Int(key.environment)) : EnvironmentID(rawValue: ""),
            service: listener?.service ?? service?.name ?? "",
            context: key.context >= 0 ? id(Int(key.context)) : nil,
            provider: key.isProvider ? service.map { id($0.environment) } : nil,
            error: key.fault?.code, leak: key.leak,
            carrier: key.leak != nil && key.environment >= 0
                ? String(decoding: table.environments[Int(key.environment)].settings.headerName, as: UTF8.self) : nil,
            count: 0)
    }
}
