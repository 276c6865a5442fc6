import Blueprints
import EnvironmentGraph

extension CompiledTable {
    /// The table that a delta makes out of another one, in time and memory of what changes.
    ///
    /// - Returns: `nil` where the delta is of another table, or changes what others depend on (a baseline's carriers, the
    ///   parent of something); then the whole table is to be compiled. It gives the same answers as that.
    convenience init?(_ delta: RoutingDelta, to last: CompiledTable) {
        guard delta.base == last.version, !last.books.isIrregular else { return nil }
        var change = TableChange(last)
        guard change.apply(delta), !change.parts.books.isIrregular else { return nil }
        self.init(change.parts, version: delta.version, changed: (last.serial, change.positions))
    }
}

/// Carries a delta out. Whatever it meets that is not plain makes it give up.
private struct TableChange {
    private let last: CompiledTable
    var parts: TableParts
    /// Where another environment is now.
    var positions: [Int] = []

    init(_ last: CompiledTable) {
        self.last = last
        parts = TableParts(last)
    }

    mutating func apply(_ delta: RoutingDelta) -> Bool {
        for listener in delta.closed where !close(listener) { return false }
        guard remove(delta.removed) else { return false }
        // A parent comes before what is made of it.
        var left = delta.environments
        while !left.isEmpty {
            let waiting = Set(left.map(\.id))
            let ready = left.filter { routed in
                routed.parent.map { parent in
                    parts.books.stamps.position(of: parent) != nil && (parent == routed.id || !waiting.contains(parent))
                } ?? true
            }
            guard !ready.isEmpty else { return false }
            for routed in ready where !put(routed) { return false }
            let done = Set(ready.map(\.id))
            left.removeAll { done.contains($0.id) }
        }
        for listener in delta.listeners where !open(listener) { return false }
        return true
    }

    private mutating func close(_ routed: RoutedListener) -> Bool {
        guard let listener = parts.listeners[routed.port], listener.isFor(routed) else { return false }
        parts.listeners[routed.port] = nil
        parts.numberedListeners[listener.number] = nil
        parts.books.freeListeners.give(listener.number)
        parts.books.dependents[listener.environment].listeners -= 1
        return true
    }

    private mutating func open(_ routed: RoutedListener) -> Bool {
        guard let position = parts.books.stamps.position(of: routed.environment), (0..<1 << 16).contains(routed.port),
            parts.listeners[routed.port] == nil
        else { return false }
        var caller: Serving?
        if case .service(let name) = routed.caller {
            // Of a service that the environment does not run itself nothing is ever under way.
            let number = parts.books.ownServices.find(UInt32(position), name)
            caller = number.flatMap { $0 == CompiledTable.tombstone ? nil : parts.services[$0]?.serving } ?? Serving()
        }
        let free = parts.books.freeListeners.take()
        let number = free ?? parts.numberedListeners.count
        let listener = CompiledListener(routed, number: number, environment: position, callerServing: caller)
        if free == nil {
            parts.numberedListeners.append(listener)
        } else {
            parts.numberedListeners[number] = listener
        }
        parts.listeners[routed.port] = listener
        parts.books.dependents[position].listeners += 1
        return true
    }

    private mutating func remove(_ ids: [EnvironmentID]) -> Bool {
        var gone: [Int] = []
        for id in ids {
            guard let position = parts.books.stamps.position(of: id) else { return false }
            gone.append(position)
            if let parent = parts.environments[position].parent { parts.books.dependents[parent].children -= 1 }
        }
        for position in gone {
            let dependents = parts.books.dependents[position]
            guard dependents.children == 0, dependents.listeners == 0 else { return false }
            let environment = parts.environments[position]
            forget(environment, at: position)
            parts.books.stamps.remove(environment.id)
            parts.environments[position] = .gone
            parts.books.steps[position] = LineageStep()
            parts.books.freeEnvironments.give(position)
            parts.environmentCount -= 1
            positions.append(position)
        }
        return true
    }

    /// Its names and its services.
    private mutating func forget(_ environment: CompiledEnvironment, at position: Int) {
        parts.books.names.remove(0, Array(environment.name.utf8))
        if !environment.context.isEmpty { parts.books.contexts.remove(UInt32(environment.root), environment.context) }
        for name in environment.removed { parts.books.ownServices.remove(UInt32(position), Array(name.utf8)) }
        for number in environment.services {
            guard let copy = parts.services[Int(number)] else { continue }
            parts.books.ownServices.remove(UInt32(position), Array(copy.name.utf8))
            parts.services[Int(number)] = nil
            parts.books.freeServices.give(Int(number))
        }
    }

    /// A new environment, or what has become of one.
    private mutating func put(_ routed: RoutedEnvironment) -> Bool {
        let known = parts.books.stamps.position(of: routed.id)
        let before = known.map { parts.environments[$0] }
        let parent = routed.parent.flatMap { parts.books.stamps.position(of: $0) }
        guard routed.parent == nil || (parent != nil && parent != known), routed.overlayID != "" else { return false }
        let free = known == nil ? parts.books.freeEnvironments.take() : nil
        let position = known ?? free ?? parts.environments.count
        let own = RoutingSettings(routed)
        if let before, parts.books.dependents[position].children > 0 {
            guard before.parent == parent, parent != nil || before.settings == own else { return false }
        }
        // A listener of it may stand for a service that it did not have.
        if let before, parts.books.dependents[position].listeners > 0 {
            let names = Set(before.services.compactMap { parts.services[Int($0)]?.name })
            guard routed.services.allSatisfy({ names.contains($0.name) }) else { return false }
        }
        var endpoints = EndpointBook(next: parts.books.nextEndpoint, contexts: parts.books.tls)
        var servings = ServingBook()
        if let before {
            for number in before.services {
                guard let copy = parts.services[Int(number)] else { continue }
                endpoints.know(copy, of: before)
                servings.know(copy, of: before)
            }
            forget(before, at: position)
            if let old = before.parent { parts.books.dependents[old].children -= 1 }
        }
        let stamp = before?.stamp ?? parts.books.stamps.add(routed.id, at: position)
        let root = parent.map { parts.environments[$0].root } ?? position
        let settings =
            parent.map { parts.environments[$0].settings } ?? before.flatMap { $0.settings == own ? $0.settings : nil }
            ?? own
        var compiled = CompiledEnvironment(routed, parent: parent, root: root, stamp: stamp, settings: settings)
        parts.enter(routed, compiled, at: position)
        for name in routed.removed { parts.books.ownServices.insert(UInt32(position), name, CompiledTable.tombstone) }
        compiled.removed = routed.removed
        for service in routed.services {
            guard let number = parts.add(service, of: routed, at: position, &endpoints, &servings) else { return false }
            compiled.services.append(Int32(number))
        }
        if let parent { parts.books.dependents[parent].children += 1 }
        parts.books.nextEndpoint = endpoints.next
        // What nothing uses any more goes when the whole table is compiled.
        guard endpoints.contexts.count <= 64 + 2 * last.books.tls.count else { return false }
        parts.books.tls = endpoints.contexts
        if known == nil {
            if free == nil {
                parts.books.steps.append(LineageStep())
                parts.environments.append(compiled)
                parts.books.dependents.append(.init())
            } else {
                parts.environments[position] = compiled
                parts.books.dependents[position] = .init()
            }
            parts.environmentCount += 1
            positions.append(position)
        } else {
            parts.environments[position] = compiled
        }
        parts.books.steps[position] = LineageStep(parent: parent, of: routed)
        return true
    }
}
