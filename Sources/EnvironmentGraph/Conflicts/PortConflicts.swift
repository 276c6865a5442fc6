import Blueprints

/// Ports that a service gives up or speaks otherwise, though callers that nobody changed use them.
struct PortConflicts {
    let request: BlueprintSpec
    let parent: BlueprintSpec
    /// The services that the request runs itself; the callers of interest are the others.
    let local: Set<String>
    let theirs: EnvironmentID?

    func conflicts() -> [Conflict] {
        let changed = request.services.compactMap { mine -> (mine: ServiceSpec, before: ServiceSpec)? in
            guard local.contains(mine.name), let before = parent.service(mine.name), before.ports != mine.ports else {
                return nil
            }
            return (mine, before)
        }
        guard !changed.isEmpty else { return [] }
        let callers = request.services.filter { !local.contains($0.name) }
        return changed.flatMap { pair in
            callers.filter { $0.reachedServices.contains(pair.mine.name) }
                .flatMap { conflicts(pair.mine, pair.before, $0) }
        }
    }

    private func conflicts(_ mine: ServiceSpec, _ before: ServiceSpec, _ caller: ServiceSpec) -> [Conflict] {
        let refersToAddress = caller.addressedServices.contains(mine.name)
        return before.ports.enumerated().compactMap { index, port -> Conflict? in
            // An address is that of the first port; of a name alone nobody knows which port is meant.
            let isUsed = refersToAddress && index == 0
            guard isUsed || !refersToAddress else { return nil }
            let severity: Conflict.Severity = isUsed || index == 0 ? .error : .warning
            let side = Conflict.Side.service(caller.name, of: theirs)
            guard let now = mine.ports.first(where: { $0.name == port.name }) else {
                return Conflict(
                    .portRemoved,
                    "\(mine.name) has no port \(port.name) any more, which \(caller.name) uses and nobody changed",
                    severity: severity,
                    mine: .service(mine.name, "ports"), theirs: side,
                    wayOut: "keep the port, or change \(caller.name) too")
            }
            guard !Self.isCompatible(now.transport, port.transport) else { return nil }
            return Conflict(
                .protocolChanged,
                "port \(port.name) of \(mine.name) speaks \(now.transport.rawValue) now and not \(port.transport.rawValue), which "
                    + "\(caller.name) speaks and nobody changed", severity: severity,
                mine: .service(mine.name, "ports.\(port.name)"),
                theirs: side,
                wayOut: "add a port for the new protocol and keep the old one, or change \(caller.name) too")
        }
    }

    /// Whether the gateway can take a caller of the one to the other: between the versions of HTTP it does, but a gRPC service
    /// understands nobody else.
    private static func isCompatible(_ now: PortProtocol, _ before: PortProtocol) -> Bool {
        switch (before, now) {
        case (.http, .http2), (.http2, .http), (.grpc, .http2): true
        default: before == now
        }
    }
}
