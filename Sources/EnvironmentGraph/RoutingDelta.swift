import Blueprints

/// What makes one routing table out of another: with thousands of environments most changes are of one of them.
///
/// Environments and listeners have no order of their own, so the result equals the wanted table but for order.
package struct RoutingDelta: Sendable, Hashable, Codable {
    /// Version of the table that it makes another one of; there is no other that it fits.
    package var base: UInt64
    package var version: UInt64
    /// New ones, and those that are not what they were; each whole.
    package var environments: [RoutedEnvironment]
    package var removed: [EnvironmentID]
    package var listeners: [RoutedListener]
    /// Listeners that are gone, or are another one now.
    package var closed: [RoutedListener]

    package init(
        base: UInt64, version: UInt64, environments: [RoutedEnvironment] = [], removed: [EnvironmentID] = [],
        listeners: [RoutedListener] = [], closed: [RoutedListener] = []
    ) {
        self.base = base
        self.version = version
        self.environments = environments
        self.removed = removed
        self.listeners = listeners
        self.closed = closed
    }
}

extension RoutingTable {
    /// `nil` where the whole table says it better: more than half of it is another, or something is in it twice, where order
    /// would count.
    package func delta(since old: RoutingTable) -> RoutingDelta? {
        let before = Dictionary(old.environments.map { ($0.id, $0) }) { first, _ in first }
        let now = Set(environments.map(\.id))
        let (earlier, later) = (Set(old.listeners), Set(listeners))
        guard before.count == old.environments.count, now.count == environments.count,
            earlier.count == old.listeners.count,
            Set(listeners.map(\.port)).count == listeners.count
        else { return nil }
        let changed = environments.filter { before[$0.id] != $0 }
        guard changed.count * 2 <= environments.count else { return nil }
        return RoutingDelta(
            base: old.version, version: version, environments: changed,
            removed: old.environments.map(\.id).filter { !now.contains($0) },
            listeners: listeners.filter { !earlier.contains($0) }, closed: old.listeners.filter { !later.contains($0) })
    }

    /// - Returns: `nil` where the delta is of another table.
    package func applying(_ delta: RoutingDelta) -> RoutingTable? {
        guard delta.base == version, delta.version >= version else { return nil }
        var table = self
        table.version = delta.version
        let gone = Set(delta.removed)
        var changed = Dictionary(delta.environments.map { ($0.id, $0) }) { first, _ in first }
        if !gone.isEmpty { table.environments.removeAll { gone.contains($0.id) } }
        for index in table.environments.indices {
            guard let other = changed.removeValue(forKey: table.environments[index].id) else { continue }
            table.environments[index] = other
        }
        table.environments += delta.environments.filter { changed[$0.id] != nil }
        if !delta.closed.isEmpty {
            let closed = Set(delta.closed)
            table.listeners.removeAll { closed.contains($0) }
        }
        table.listeners += delta.listeners
        return table
    }
}
