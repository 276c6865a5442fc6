import EnvironmentGraph

/// What a gateway would answer by a table, without a gateway around it: for benches and for whoever wants to know.
package struct Routes: Sendable {
    private let table: CompiledTable

    private init(table: CompiledTable) { self.table = table }

    /// Compiles all of it.
    package init(_ table: RoutingTable) { self.init(table: CompiledTable(table, after: nil)) }

    package var count: Int { table.environmentCount }

    /// `nil` where the delta is of another table, or changes what others depend on.
    package func changed(by delta: RoutingDelta) -> Routes? {
        CompiledTable(delta, to: table).map(Routes.init(table:))
    }

    /// Compiled whole, as the table that follows.
    package func replaced(by routed: RoutingTable) -> Routes { Routes(table: CompiledTable(routed, after: table)) }

    /// The position of an environment by its name.
    package func environment(named name: [UInt8]) -> Int? {
        name.withUnsafeBytes { table.environment(named: $0) }
    }

    /// The number of the copy that answers for a service in a context; `nil` where nobody does.
    ///
    /// - Parameter root: the position of the lineage's baseline.
    package func provider(of service: UnsafeRawBufferPointer, context: UnsafeRawBufferPointer, root: Int) -> Int? {
        guard let environment = table.environment(ofContext: context, root: root),
            case .found(let copy) = table.resolve(service, in: environment)
        else { return nil }
        return copy.number
    }
}
