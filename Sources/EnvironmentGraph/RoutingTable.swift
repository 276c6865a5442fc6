import Blueprints

/// What every gateway needs to know to say who answers: an immutable value, made anew for every change.
///
/// Sparse: an environment lists only the services that it runs itself and points at its parent for the rest, so that
/// the table grows with what was changed, not with services times environments. The lookup walks up the lineage; its
/// cost does not depend on how many environments there are.
package struct RoutingTable: Sendable, Hashable, Codable {
    /// Grows with every change; a gateway never replaces a newer table by an older one.
    package var version: UInt64
    package var environments: [RoutedEnvironment]
    package var listeners: [RoutedListener]

    package init(version: UInt64 = 0, environments: [RoutedEnvironment] = [], listeners: [RoutedListener] = []) {
        self.version = version
        self.environments = environments
        self.listeners = listeners
    }
}

package struct RoutedEnvironment: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable {
        /// Its own services answer with what they have; a service without a live endpoint answers `no_endpoint`.
        case serving
        /// Being created or woken: requests for its own services wait, then answer `starting`.
        case starting
        /// Its own services answer `no_endpoint`.
        case failed
    }

    package var id: EnvironmentID
    package var name: String
    package var revision: Int
    package var state: State
    /// The routing context that leads here; only overlays have one. Unique within a lineage's baseline.
    package var overlayID: String?
    /// Where a service is looked for that this environment neither runs nor removed.
    package var parent: EnvironmentID?
    package var headerName: String
    package var propagateHeader: Bool
    package var onUnknownContext: UnknownContextPolicy
    /// What is done about a call that has dropped its context. `nil` from a control plane that did not know of it.
    package var onLeak: LeakPolicy?
    package var attribution: LeakAttribution?
    /// It sleeps, and a request for a service of its own is to wake it. Beside ``state``, so that a gateway from before there
    /// was any waking answers `no_endpoint`. `nil` for no.
    package var wakes: Bool?
    /// The services that this environment runs itself.
    package var services: [RoutedService]
    /// Tombstones: resolution ends here with `unknown_service`.
    package var removed: [String]

    package init(
        id: EnvironmentID, name: String, revision: Int, state: State, overlayID: String? = nil,
        parent: EnvironmentID? = nil, headerName: String = "x-msx-env", propagateHeader: Bool = true,
        onUnknownContext: UnknownContextPolicy = .reject, onLeak: LeakPolicy? = nil,
        attribution: LeakAttribution? = nil, services: [RoutedService] = [], removed: [String] = [],
        wakes: Bool? = nil
    ) {
        self.wakes = wakes
        self.onLeak = onLeak
        self.attribution = attribution
        self.id = id
        self.name = name
        self.revision = revision
        self.state = state
        self.overlayID = overlayID
        self.parent = parent
        self.headerName = headerName
        self.propagateHeader = propagateHeader
        self.onUnknownContext = onUnknownContext
        self.services = services
        self.removed = removed
    }
}

package struct RoutedService: Sendable, Hashable, Codable {
    package var name: String
    /// Reachable from outside, by host name and by an edge listener.
    package var exposed: Bool
    /// False while the copy is not ready: it then answers `no_endpoint` and nobody else answers for it.
    package var ready: Bool
    /// It is not ready because nobody has needed it yet, or because it is being started for that: a request starts it. `nil`
    /// for no.
    package var wakes: Bool?
    /// Several of one name are several copies of the service, which take turns.
    package var ports: [RoutedPort]

    package init(name: String, exposed: Bool, ready: Bool, ports: [RoutedPort], wakes: Bool? = nil) {
        self.wakes = wakes
        self.name = name
        self.exposed = exposed
        self.ready = ready
        self.ports = ports
    }
}

package struct RoutedPort: Sendable, Hashable, Codable {
    package var name: String
    package var transport: PortProtocol
    /// Where the copy listens, such as `127.0.0.1`.
    package var host: String
    package var port: Int
    /// How TLS is spoken to it; `nil` for not at all.
    package var tls: PortTLS?

    package init(name: String, transport: PortProtocol, host: String, port: Int, tls: PortTLS? = nil) {
        self.tls = tls
        self.name = name
        self.transport = transport
        self.host = host
        self.port = port
    }
}

/// A port of the gateway that stands for one (environment, caller, called service, port of it).
package struct RoutedListener: Sendable, Hashable, Codable {
    package enum Caller: Sendable, Hashable, Codable {
        /// From outside: host name and cookie count as carriers.
        case edge
        /// A service of `environment`: its calls carry the environment's context without a header (carrier 5).
        case service(String)
    }

    package var host: String
    package var port: Int
    package var environment: EnvironmentID
    package var caller: Caller
    package var service: String
    /// Name of the called service's port; `nil` is its first.
    package var portName: String?
    /// Whether bytes are forwarded by the listener alone, or requests are routed one by one.
    package var isTCP: Bool

    package init(
        host: String = "127.0.0.1", port: Int, environment: EnvironmentID, caller: Caller, service: String,
        portName: String? = nil, isTCP: Bool = false
    ) {
        self.host = host
        self.port = port
        self.environment = environment
        self.caller = caller
        self.service = service
        self.portName = portName
        self.isTCP = isTCP
    }
}

/// What a gateway counted since it started: who called whom in which context, and who answered.
package struct CallCount: Sendable, Hashable, Codable {
    /// `edge` or a service's name.
    package var caller: String
    /// The environment whose address the caller used.
    package var callerEnvironment: EnvironmentID
    package var service: String
    /// The environment whose context the request was in.
    package var context: EnvironmentID?
    /// The environment whose copy answered; `nil` where the gateway answered itself.
    package var provider: EnvironmentID?
    /// The gateway's own error code, where it answered itself.
    package var error: String?
    /// The caller dropped its context: `suspected`, or `restored` from the only request that it answered. `nil`: it did
    /// not.
    package var leak: CallLeak?
    /// The header that the caller would have to forward; only of a leak.
    package var carrier: String?
    package var count: UInt64

    package init(
        caller: String, callerEnvironment: EnvironmentID, service: String, context: EnvironmentID?,
        provider: EnvironmentID?, error: String?, leak: CallLeak? = nil, carrier: String? = nil, count: UInt64
    ) {
        self.carrier = carrier
        self.leak = leak
        self.caller = caller
        self.callerEnvironment = callerEnvironment
        self.service = service
        self.context = context
        self.provider = provider
        self.error = error
        self.count = count
    }
}

package enum CallLeak: String, Sendable, Hashable, Codable {
    case suspected, restored
}
