import Blueprints
import EnvironmentGraph
import Synchronization

/// One environment's copy, or copies, of a service.
final class CompiledService: Sendable {
    struct Port: Sendable {
        let name: String
        let isTCP: Bool
        /// One for each copy; never empty.
        var endpoints: [Endpoint]
    }

    let number: Int
    let name: String
    let environment: Int
    let exposed: Bool
    let ready: Bool
    /// It is not ready, but a request starts it.
    let wakes: Bool
    let ports: [Port]
    /// `x-msx-provider: orders@shop#r12` and CRLF.
    let providerLine: [UInt8]
    /// What its copies answer just now.
    let serving: Serving
    private let turns = Atomic<UInt>(0)

    init(
        _ service: RoutedService, number: Int, of routed: RoutedEnvironment, environment: Int,
        endpoints: inout EndpointBook, servings: inout ServingBook
    ) {
        serving = servings.serving(of: routed.id, service: service.name)
        self.number = number
        name = service.name
        self.environment = environment
        exposed = service.exposed
        ready = service.ready
        wakes = service.wakes == true
        var ports: [Port] = []
        for port in service.ports {
            var endpoint = endpoints.endpoint(
                of: .init(environment: routed.id, revision: routed.revision, service: service.name), host: port.host,
                port: port.port, tls: port.tls)
            endpoint.speaksHTTP2 = port.transport == .http2 || port.transport == .grpc
            if let index = ports.firstIndex(where: { $0.name == port.name }) {
                ports[index].endpoints.append(endpoint)
            } else {
                ports.append(Port(name: port.name, isTCP: port.transport == .tcp, endpoints: [endpoint]))
            }
        }
        self.ports = ports
        providerLine = Array("x-msx-provider: \(service.name)@\(routed.name)#r\(routed.revision)\r\n".utf8)
    }

    /// Where the port of that name listens; without a name the first port, at the edge the first that speaks HTTP.
    func endpoint(portName: String?, wantsHTTP: Bool) -> Endpoint? {
        guard let portName else {
            return ((wantsHTTP ? ports.first { !$0.isTCP } : nil) ?? ports.first).map(next)
        }
        return ports.first { $0.name == portName }.map(next)
    }

    /// The copies take turns.
    private func next(_ port: Port) -> Endpoint {
        guard port.endpoints.count > 1 else { return port.endpoints[0] }
        let turn = turns.add(1, ordering: .relaxed).newValue
        return port.endpoints[Int(turn % UInt(port.endpoints.count))]
    }
}

/// Where a copy listens. The number stays the same from table to table, so pools outlive a change; another environment's
/// copy at the same address has another number, so that no connection is ever used for it.
struct Endpoint: Sendable, Hashable {
    let number: Int
    let host: String
    let port: Int
    /// From the first byte on (RFC 9113 section 3.3).
    var speaksHTTP2 = false
    /// nil: in plain text.
    var tls: ServiceTLS?
}

/// Gives numbers to endpoints; a number is never given twice. Knows those of the table before while the next one is made.
struct EndpointBook {
    struct Owner: Hashable {
        var environment: EnvironmentID
        var revision: Int
        var service: String
    }

    private struct Key: Hashable {
        var owner: Owner
        var host: String
        var port: Int
        /// Held against something else, a connection is another one.
        var tls: PortTLS?
    }

    private var earlier: [Key: Int] = [:]
    private var earlierContexts: [PortTLS: ServiceTLS] = [:]
    private(set) var next: Int
    /// By what they hold a certificate against, as far as they are used.
    private(set) var contexts: [PortTLS: ServiceTLS] = [:]

    /// - Parameter contexts: stay, whether they are used or not.
    init(next: Int, contexts: [PortTLS: ServiceTLS]) {
        self.next = next
        self.contexts = contexts
    }

    init(after last: CompiledTable?) {
        self.init(next: last?.books.nextEndpoint ?? 0, contexts: [:])
        guard let last else { return }
        earlierContexts = last.books.tls
        for copy in last.services.everything {
            if let copy { know(copy, of: last.environments[copy.environment]) }
        }
    }

    mutating func know(_ copy: CompiledService, of environment: CompiledEnvironment) {
        let owner = Owner(environment: environment.id, revision: environment.revision, service: copy.name)
        for port in copy.ports {
            for endpoint in port.endpoints {
                let key = Key(owner: owner, host: endpoint.host, port: endpoint.port, tls: endpoint.tls?.settings)
                earlier[key] = endpoint.number
            }
        }
    }

    mutating func endpoint(of owner: Owner, host: String, port: Int, tls: PortTLS? = nil) -> Endpoint {
        let context = tls.map { tls in contexts[tls] ?? earlierContexts[tls] ?? ServiceTLS(tls) }
        if let tls { contexts[tls] = context }
        let key = Key(owner: owner, host: host, port: port, tls: tls)
        let number = earlier[key] ?? next
        if number == next {
            next += 1
            // Two ports of one service may be one place.
            earlier[key] = number
        }
        return Endpoint(number: number, host: host, port: port, tls: context)
    }
}

/// What a listener stands for. A port may be given to somebody else; a connection never changes what it was made to.
struct ListenerIdentity: Sendable, Hashable {
    let environment: EnvironmentID
    let caller: RoutedListener.Caller
    let service: String
    let portName: String?
    let isTCP: Bool
}

/// A port of the gateway that stands for one (environment, caller, service, port of it).
final class CompiledListener: Sendable {
    let identity: ListenerIdentity
    let number: Int
    let host: String
    let port: Int
    let environment: Int
    let isEdge: Bool
    /// `edge` or the calling service's name.
    let caller: String
    let service: String
    let serviceBytes: [UInt8]
    let portName: String?
    let isTCP: Bool
    /// What the caller answers just now; `nil` at the edge.
    let callerServing: Serving?

    init(_ routed: RoutedListener, number: Int, environment: Int, callerServing: Serving?) {
        self.number = number
        self.callerServing = callerServing
        identity = ListenerIdentity(
            environment: routed.environment, caller: routed.caller, service: routed.service,
            portName: routed.portName, isTCP: routed.isTCP)
        host = routed.host
        port = routed.port
        self.environment = environment
        switch routed.caller {
        case .edge:
            isEdge = true
            caller = "edge"
        case .service(let name):
            isEdge = false
            caller = name
        }
        service = routed.service
        serviceBytes = Array(routed.service.utf8)
        portName = routed.portName
        isTCP = routed.isTCP
    }

    func isFor(_ routed: RoutedListener) -> Bool {
        host == routed.host && port == routed.port
            && identity
                == ListenerIdentity(
                    environment: routed.environment, caller: routed.caller, service: routed.service,
                    portName: routed.portName, isTCP: routed.isTCP)
    }

    /// Whether it is the address of a service that is not ready itself. What that calls while it starts may need it in turn,
    /// so it must not wait.
    func callerStarts(by table: CompiledTable) -> Bool {
        guard !isEdge else { return false }
        let found = Array(caller.utf8).withUnsafeBytes { table.resolve($0, in: environment) }
        guard case .found(let copy) = found else { return false }
        return !copy.ready
    }
}
