import Blueprints

/// What the routing table needs to know of one environment beyond its record.
package struct RoutingFacts: Sendable, Hashable {
    package struct Address: Sendable, Hashable {
        /// `nil`: from outside.
        package var caller: String?
        package var service: String
        package var portName: String
        package var number: Int

        package init(caller: String?, service: String, portName: String, number: Int) {
            self.caller = caller
            self.service = service
            self.portName = portName
            self.number = number
        }
    }

    package var record: EnvironmentRecord
    /// The instances of local services that can answer just now.
    package var ready: Set<String>
    /// Where the local copies listen: port number by instance and port name.
    package var ports: [String: [String: Int]]
    package var addresses: [Address]

    package init(
        record: EnvironmentRecord, ready: Set<String>, ports: [String: [String: Int]], addresses: [Address]
    ) {
        self.record = record
        self.ready = ready
        self.ports = ports
        self.addresses = addresses
    }
}

/// What one environment adds to the table.
package struct RoutingPart: Sendable, Hashable {
    package let environment: RoutedEnvironment
    /// By port.
    package let listeners: [RoutedListener]

    /// `nil` for one that is going away: its context is then unknown, and so refused.
    package init?(_ facts: RoutingFacts) {
        guard ![.deleting, .deleted].contains(facts.record.state) else { return nil }
        environment = Self.routed(facts)
        listeners = Self.listeners(facts).sorted { $0.port < $1.port }
    }

    private static func routed(_ facts: RoutingFacts) -> RoutedEnvironment {
        let record = facts.record
        return RoutedEnvironment(
            id: record.id, name: record.name, revision: record.revision, state: state(record.state),
            overlayID: record.overlayID, parent: record.parent?.id, headerName: record.spec.routing.headerName,
            propagateHeader: record.spec.routing.propagateHeader,
            onUnknownContext: record.spec.routing.onUnknownContext, onLeak: record.spec.routing.onLeak,
            attribution: record.spec.routing.attribution,
            services: record.localServices.map { service in
                let ready = service.instances.filter(facts.ready.contains)
                return RoutedService(
                    name: service.name, exposed: service.expose, ready: !ready.isEmpty,
                    ports: service.ports.flatMap { port in
                        (ready.isEmpty ? [service.name] : ready).compactMap { instance in
                            facts.ports[instance]?[port.name].map {
                                RoutedPort(
                                    name: port.name, transport: port.transport, host: "127.0.0.1", port: $0,
                                    tls: port.tls)
                            }
                        }
                    }, wakes: wakes(service, record, isReady: !ready.isEmpty))
            },
            removed: record.difference.removed, wakes: record.isAsleep ? true : nil)
    }

    /// Whether a request is to start the service, or may wait for it because another one has.
    private static func wakes(_ service: ServiceSpec, _ record: EnvironmentRecord, isReady: Bool) -> Bool? {
        record.startsOnDemand(service) && !isReady && (record.isCold(service) || record.state.isTransient) ? true : nil
    }

    private static func state(_ state: EnvironmentState) -> RoutedEnvironment.State {
        switch state {
        case .pending, .planning, .provisioning, .resuming: .starting
        case .running, .degraded, .updating, .stopping: .serving
        case .stopped, .error, .deleting, .deleted: .failed
        }
    }

    private static func listeners(_ facts: RoutingFacts) -> [RoutedListener] {
        facts.addresses.map { address in
            let port = facts.record.spec.service(address.service)?.ports.first { $0.name == address.portName }
            return RoutedListener(
                port: address.number, environment: facts.record.id,
                caller: address.caller.map { .service($0) } ?? .edge, service: address.service,
                portName: address.portName, isTCP: port?.transport == .tcp)
        }
    }
}

extension RoutingTable {
    /// The table for a set of environments. Does not depend on their order.
    package static func make(version: UInt64, _ facts: [RoutingFacts]) -> RoutingTable {
        make(version: version, facts.compactMap(RoutingPart.init))
    }

    package static func make(version: UInt64, _ parts: some Collection<RoutingPart>) -> RoutingTable {
        let sorted = parts.sorted { $0.environment.id < $1.environment.id }
        return RoutingTable(
            version: version, environments: sorted.map(\.environment), listeners: sorted.flatMap(\.listeners))
    }
}
