import Blueprints
import EnvironmentGraph

/// A table while it is made.
struct TableParts {
    var environments = SharedArray<CompiledEnvironment>()
    var services = SharedArray<CompiledService?>()
    var listeners = PortMap()
    var numberedListeners = SharedArray<CompiledListener?>()
    var environmentCount = 0
    var books = TableBooks()

    init(_ last: CompiledTable) {
        environments = last.environments
        services = last.services.everything
        listeners = last.listeners
        numberedListeners = last.numberedListeners
        environmentCount = last.environmentCount
        books = last.books
    }

    init(_ table: RoutingTable, after last: CompiledTable?) {
        var endpoints = EndpointBook(after: last)
        var servings = ServingBook(after: last)
        books.stamps = StampBook(table.environments.map(\.id), after: last?.books.stamps)
        var compiled = CompiledEnvironment.compile(table.environments, books.stamps)
        environmentCount = compiled.count
        books.dependents = SharedArray(repeatElement(TableBooks.Dependents(), count: compiled.count))
        for (index, routed) in table.environments.enumerated() {
            enter(routed, compiled[index], at: index)
            books.isIrregular = books.isIrregular || (routed.parent != nil && compiled[index].parent == nil)
            if let parent = compiled[index].parent { books.dependents[parent].children += 1 }
            for removed in routed.removed { books.ownServices.insert(UInt32(index), removed, CompiledTable.tombstone) }
            compiled[index].removed = routed.removed
            for service in routed.services {
                if let number = add(service, of: routed, at: index, &endpoints, &servings) {
                    compiled[index].services.append(Int32(number))
                } else {
                    books.isIrregular = true
                }
            }
        }
        environments = SharedArray(compiled)
        books.steps = SharedArray(
            zip(table.environments, compiled).lazy.map { LineageStep(parent: $1.parent, of: $0) })
        let indices = Dictionary(table.environments.enumerated().map { ($1.id, $0) }) { first, _ in first }
        books.isIrregular = books.isIrregular || indices.count != compiled.count
        for routed in table.listeners {
            let number = numberedListeners.count
            guard let environment = indices[routed.environment] else {
                numberedListeners.append(nil)
                books.isIrregular = true
                continue
            }
            var caller: Serving?
            if case .service(let name) = routed.caller {
                caller = servings.serving(of: routed.environment, service: name)
            }
            let listener = CompiledListener(
                routed, number: number, environment: environment, callerServing: caller)
            numberedListeners.append(listener)
            books.dependents[environment].listeners += 1
            // Of two on one port the first counts; the second is told so when it is bound.
            if listeners[routed.port] == nil { listeners[routed.port] = listener } else { books.isIrregular = true }
        }
        books.tls = endpoints.contexts
        books.nextEndpoint = endpoints.next
    }

    /// Its names; of two with one name the first counts.
    mutating func enter(_ routed: RoutedEnvironment, _ compiled: CompiledEnvironment, at position: Int) {
        if !books.names.insert(0, routed.name, position) || routed.overlayID == "" { books.isIrregular = true }
        if let overlayID = routed.overlayID, !books.contexts.insert(UInt32(compiled.root), overlayID, position) {
            books.isIrregular = true
        }
    }

    /// `nil` where the environment has that name already.
    mutating func add(
        _ service: RoutedService, of routed: RoutedEnvironment, at position: Int, _ endpoints: inout EndpointBook,
        _ servings: inout ServingBook
    ) -> Int? {
        let free = books.freeServices.take()
        let number = free ?? services.count
        guard books.ownServices.insert(UInt32(position), service.name, number) else {
            if let free { books.freeServices.give(free) }
            return nil
        }
        let copy = CompiledService(
            service, number: number, of: routed, environment: position, endpoints: &endpoints, servings: &servings)
        if free == nil { services.append(copy) } else { services[number] = copy }
        return number
    }
}
