import Blueprints
import EnvironmentGraph
import Runtimes
import Storage

/// Turns a service's spec into something that can be run as it is: ports assigned, references replaced, secrets opened.
package struct WorkloadRendering: Sendable {
    package let record: EnvironmentRecord
    private let servicePorts: [String: [String: Int]]
    /// By caller, then called service.
    private let addresses: [String: [String: Int]]
    private let secrets: [String: String]
    /// `service/volume`.
    private let made: Set<String>

    package init(_ record: EnvironmentRecord, ports: [PortAssignment], secrets: [String: String]) {
        self.record = record
        self.secrets = secrets
        made = Set(record.madeVolumes.map { "\($0.service)/\($0.volume)" })
        var servicePorts: [String: [String: Int]] = [:]
        var addresses: [String: [String: Int]] = [:]
        for port in ports {
            switch port.purpose {
            case .service(let service, let name): servicePorts[service, default: [:]][name] = port.number
            case .address(let caller?, let service, _): addresses[caller, default: [:]][service] = port.number
            case .address(nil, _, _): break
            }
        }
        self.servicePorts = servicePorts
        self.addresses = addresses
    }

    /// - Parameter instance: which copy; `nil` for the first.
    /// - Throws: ``StepFailure`` where a port or a secret is missing, which an earlier step should have provided.
    package func workload(_ service: ServiceSpec, instance: String? = nil) throws -> Workload {
        let instance = instance ?? service.name
        let ports = try service.ports.map { port in
            guard let number = servicePorts[instance]?[port.name] else {
                throw StepFailure("no port is assigned to \(instance)/\(port.name)")
            }
            return Workload.Port(name: port.name, transport: port.transport, number: number)
        }
        var env: [String: String] = [:]
        var secretEnv: [String: String] = [:]
        for (key, value) in service.env {
            let template = Template(parsing: value)
            let rendered = try render(template, for: service)
            let isSecret = template.references.contains { if case .secret = $0 { true } else { false } }
            if isSecret { secretEnv[key] = rendered } else { env[key] = rendered }
        }
        for secret in service.secrets {
            secretEnv[secret.envKey] = try self.secret(secret.name, of: service)
        }
        return Workload(
            environment: record.id, service: instance, generation: record.generation(of: service.name),
            command: service.command + service.args, build: service.build, workdir: service.workdir,
            user: service.user, env: env, secretEnv: secretEnv, ports: ports,
            volumes: service.volumes.map { volume in
                Workload.Volume(
                    name: volume.name, kind: volume.kind, mountPath: volume.mountPath,
                    mustExist: made.contains("\(service.name)/\(volume.name)"))
            },
            probes: service.probes, restart: service.restart, stopSignal: service.stopSignal,
            stopGraceSeconds: service.stopGraceSeconds)
    }

    /// The port on which the service's own copy listens; its first where `name` is `nil`.
    package func ownPort(_ service: ServiceSpec, named name: String? = nil) -> Int? {
        guard let name = name ?? service.ports.first?.name else { return nil }
        return servicePorts[service.name]?[name]
    }

    package func render(_ template: Template, for service: ServiceSpec) throws -> String {
        try template.rendered { reference in
            switch reference {
            case .environmentID: record.id.rawValue
            case .overlayID: record.overlayID ?? ""
            case .secret(let name): try secret(name, of: service)
            case .service(let name, let attribute): try address(of: name, attribute, for: service)
            }
        }
    }

    private func secret(_ name: String, of service: ServiceSpec) throws -> String {
        guard let value = secrets[name] else {
            throw StepFailure("the secret \(name) that \(service.name) uses has no value")
        }
        return value
    }

    private func address(
        of name: String, _ attribute: Template.ServiceAttribute, for service: ServiceSpec
    ) throws -> String {
        guard let number = addresses[service.name]?[name] else {
            throw StepFailure(
                record.difference.removed.contains(name)
                    ? "\(service.name) needs the address of \(name), which \(record.name) removed; change \(service.name) too"
                    : "\(service.name) has no address for \(name); has \(name) a port?")
        }
        let scheme = record.spec.service(name)?.ports.first?.transport == .tcp ? "tcp" : "http"
        return switch attribute {
        case .host: "127.0.0.1"
        case .port: "\(number)"
        case .address: "127.0.0.1:\(number)"
        case .url: "\(scheme)://127.0.0.1:\(number)"
        }
    }
}
