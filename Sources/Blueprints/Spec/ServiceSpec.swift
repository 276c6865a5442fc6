/// One service of a Blueprint in normal form (see ``BlueprintSpec``).
package struct ServiceSpec: Sendable, Hashable, Codable {
    /// The service identity: the same name in a parent means the same service.
    package var name: String
    /// Program and its first arguments; exactly one of `image`, `command`, `mock` is set in a valid spec.
    package var command: [String]
    package var args: [String]
    package var image: String?
    /// Absolute; the folder of the file that set `command` where the Blueprint does not say.
    package var workdir: String
    /// An argument vector, empty for none.
    package var build: [String]
    package var user: String?
    package var replicas: Int
    /// In the order written: the first is the one that `${services.x.port}` means.
    package var ports: [PortSpec]
    /// Values are templates; see ``Template``.
    package var env: [String: String]
    package var secrets: [SecretSpec]
    package var expose: Bool
    /// Written and inferred alike, sorted by service.
    package var dependsOn: [DependencySpec]
    package var probes: ProbesSpec
    package var volumes: [VolumeSpec]
    package var initialisers: [InitSpec]
    package var restart: RestartPolicy
    /// Canonical name with prefix, such as `SIGTERM`.
    package var stopSignal: String
    package var stopGraceSeconds: Double
    /// `activation: onDemand`; `nil` for no.
    private var onDemand: Bool?
    /// `activation: eager`; `nil` for no, also in specs from before it meant something.
    private var eager: Bool?
    /// `nil` for none, as in what was stored before there were any.
    private var held: [String]?
    /// Absolute path of the OpenAPI document or proto file that it promises to keep; the key of the request's `files`.
    package var contract: String?
    /// `nil` for `inherit`.
    private var ownData: DataChoice?

    /// Things that only one service may hold, such as `queue:orders`; sorted.
    package var claims: [String] {
        get { held ?? [] }
        set { held = newValue.isEmpty ? nil : newValue }
    }

    /// What an overlay's copy has for data.
    package var data: DataChoice {
        get { ownData ?? .inherit }
        set { ownData = newValue == .inherit ? nil : newValue }
    }

    /// `nil` for none, and in what was stored before they were kept.
    private var literals: [String]?

    /// The other services that stand in `env` as literal addresses, sorted; see ``DependencySpec/Origin/inferred``. Also
    /// those for which nothing waits because that would close a cycle: they are reached all the same.
    ///
    /// What is named depends on which services there are, so two services that are written alike may differ here.
    package var literalServices: [String] {
        get { literals ?? [] }
        set { literals = newValue.isEmpty ? nil : newValue }
    }

    /// When it is started.
    package var activation: Activation {
        get { onDemand == true ? .onDemand : eager == true ? .eager : .auto }
        set {
            onDemand = newValue == .onDemand ? true : nil
            eager = newValue == .eager ? true : nil
        }
    }

    /// It is not started before somebody needs it.
    package var isOnDemand: Bool {
        get { activation == .onDemand }
        set { activation = newValue ? .onDemand : .auto }
    }

    package init(
        name: String, command: [String] = [], args: [String] = [], image: String? = nil, workdir: String = "/",
        build: [String] = [], user: String? = nil, replicas: Int = 1, ports: [PortSpec] = [],
        env: [String: String] = [:], secrets: [SecretSpec] = [], expose: Bool = false,
        dependsOn: [DependencySpec] = [], probes: ProbesSpec = ProbesSpec(), volumes: [VolumeSpec] = [],
        initialisers: [InitSpec] = [], restart: RestartPolicy = .always, stopSignal: String = "SIGTERM",
        stopGraceSeconds: Double = 10
    ) {
        self.name = name
        self.command = command
        self.args = args
        self.image = image
        self.workdir = workdir
        self.build = build
        self.user = user
        self.replicas = replicas
        self.ports = ports
        self.env = env
        self.secrets = secrets
        self.expose = expose
        self.dependsOn = dependsOn
        self.probes = probes
        self.volumes = volumes
        self.initialisers = initialisers
        self.restart = restart
        self.stopSignal = stopSignal
        self.stopGraceSeconds = stopGraceSeconds
    }

    /// Whether a request can start it: it can be asked, and every way to ask it is one that the gateway holds back until it
    /// is up. Bytes of a plain TCP connection are none.
    package var isWakeable: Bool { !ports.isEmpty && ports.allSatisfy { $0.transport != .tcp } }

    /// Whether a dependent can only reach this service by plain TCP, which no gateway can route per request.
    package var isTCPOnly: Bool { !ports.isEmpty && ports.allSatisfy { $0.transport == .tcp } }
}

/// `activation`.
package enum Activation: String, Sendable, Hashable, Codable, CaseIterable {
    /// The planner decides.
    case auto
    /// With its environment.
    case eager
    /// When somebody needs it.
    case onDemand
}

/// `data` of a service in an overlay.
package enum DataChoice: String, Sendable, Hashable, Codable, CaseIterable {
    case inherit, branch, empty
}

package enum RestartPolicy: String, Sendable, Hashable, Codable, CaseIterable {
    case always, onFailure, never
}

package struct PortSpec: Sendable, Hashable, Codable {
    /// Unique within the service; `http`, or the protocol's name, or `port-<n>` where the Blueprint does not say.
    package var name: String
    /// What a container listens on; only a label for a local process.
    package var containerPort: Int?
    package var transport: PortProtocol
    /// Fixes the port that a local process is given.
    package var hostPort: Int?
    /// The service speaks TLS there.
    package var tls: PortTLS?

    package init(
        name: String, containerPort: Int? = nil, transport: PortProtocol = .http, hostPort: Int? = nil,
        tls: PortTLS? = nil
    ) {
        self.tls = tls
        self.name = name
        self.containerPort = containerPort
        self.transport = transport
        self.hostPort = hostPort
    }
}

/// `ports[].tls`: what the gateway holds a service's certificate against. It is always verified.
package struct PortTLS: Sendable, Hashable, Codable {
    /// Whom the certificate must name.
    package var serverName: String
    /// The authorities that may have signed it, in PEM; `nil` for those of the system.
    package var authorities: String?

    package static let usualName = "localhost"

    package init(serverName: String = Self.usualName, authorities: String? = nil) {
        self.serverName = serverName
        self.authorities = authorities
    }
}

/// `ports[].protocol`.
package enum PortProtocol: String, Sendable, Hashable, Codable, CaseIterable {
    case http, http2, grpc, tcp
}

package struct SecretSpec: Sendable, Hashable, Codable {
    package enum Source: Sendable, Hashable, Codable {
        /// Made by the server, once, and kept.
        case autoGenerated
        /// Written in the Blueprint.
        case literal(String)
        /// An environment variable of the client.
        case fromEnv(String)
        /// A file on the client's machine; the path is absolute.
        case fromFile(String)
    }

    package var name: String
    /// The variable that the service finds the value in.
    package var envKey: String
    package var source: Source

    package init(name: String, envKey: String, source: Source) {
        self.name = name
        self.envKey = envKey
        self.source = source
    }
}

package struct DependencySpec: Sendable, Hashable, Codable {
    package enum Condition: String, Sendable, Hashable, Codable, CaseIterable {
        case started, healthy, completed
    }

    /// How the dependency came to be known.
    package enum Origin: String, Sendable, Hashable, Codable {
        /// Written in `dependsOn`.
        case declared
        /// A `${services.…}` reference in `env`.
        case reference
        /// A literal address in `env` (`db:5432`, `//cache:6379`, `@db/`).
        case inferred
    }

    package var service: String
    package var condition: Condition
    package var origin: Origin

    package init(service: String, condition: Condition = .healthy, origin: Origin = .declared) {
        self.service = service
        self.condition = condition
        self.origin = origin
    }
}

package struct VolumeSpec: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case pvc, ephemeral, host
    }

    package var name: String
    package var mountPath: String
    package var kind: Kind
    /// In normal form, such as `1Gi` for `1024Mi`; a local folder does not enforce it.
    package var size: String?

    package init(name: String, mountPath: String, kind: Kind = .pvc, size: String? = nil) {
        self.name = name
        self.mountPath = mountPath
        self.kind = kind
        self.size = size
    }
}
