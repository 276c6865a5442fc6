import Blueprints
import EnvironmentGraph

/// One service of one environment, ready to run: nothing in it has to be looked up, rendered or chosen any more.
package struct Workload: Sendable, Hashable, Codable {
    package struct Port: Sendable, Hashable, Codable {
        package var name: String
        package var transport: PortProtocol
        /// The number that this copy listens on.
        package var number: Int

        package init(name: String, transport: PortProtocol, number: Int) {
            self.name = name
            self.transport = transport
            self.number = number
        }
    }

    package struct Volume: Sendable, Hashable, Codable {
        package var name: String
        package var kind: VolumeSpec.Kind
        package var mountPath: String
        /// It was made before: where it is not there, the service is not started on an empty one.
        package var mustExist: Bool

        package init(name: String, kind: VolumeSpec.Kind, mountPath: String, mustExist: Bool = false) {
            self.name = name
            self.kind = kind
            self.mountPath = mountPath
            self.mustExist = mustExist
        }

        package init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            name = try fields.decode(String.self, forKey: .name)
            kind = try fields.decode(VolumeSpec.Kind.self, forKey: .kind)
            mountPath = try fields.decode(String.self, forKey: .mountPath)
            // Supervisors' files from before it was kept have none.
            mustExist = try fields.decodeIfPresent(Bool.self, forKey: .mustExist) ?? false
        }
    }

    package var environment: EnvironmentID
    package var service: String
    /// A workload with another generation replaces the one that runs; the same generation leaves it alone.
    package var generation: Int
    /// Program and arguments.
    package var command: [String]
    /// Run to its end before the command, each time the generation changes; empty for none.
    package var build: [String]
    package var workdir: String
    package var user: String?
    /// Rendered, without secrets and without what the runtime itself adds (`PORT`, `PORT_<NAME>`, `VOLUME_<NAME>`).
    package var env: [String: String]
    /// By variable. Kept apart: they reach the process's environment and nothing else (no file, no log, no argument).
    package var secretEnv: [String: String]
    /// The first is `PORT`.
    package var ports: [Port]
    package var volumes: [Volume]
    package var probes: ProbesSpec
    package var restart: RestartPolicy
    package var stopSignal: String
    package var stopGraceSeconds: Double

    package init(
        environment: EnvironmentID, service: String, generation: Int, command: [String], build: [String] = [],
        workdir: String, user: String? = nil, env: [String: String] = [:], secretEnv: [String: String] = [:],
        ports: [Port] = [], volumes: [Volume] = [], probes: ProbesSpec = ProbesSpec(),
        restart: RestartPolicy = .always, stopSignal: String = "SIGTERM", stopGraceSeconds: Double = 10
    ) {
        self.environment = environment
        self.service = service
        self.generation = generation
        self.command = command
        self.build = build
        self.workdir = workdir
        self.user = user
        self.env = env
        self.secretEnv = secretEnv
        self.ports = ports
        self.volumes = volumes
        self.probes = probes
        self.restart = restart
        self.stopSignal = stopSignal
        self.stopGraceSeconds = stopGraceSeconds
    }
}
