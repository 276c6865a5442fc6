import Blueprints
import EnvironmentGraph
import Foundation
import Runtimes

/// The environment variables that a process of a service gets. Minimal and predictable: of the supervisor's own
/// environment only `PATH`, `LANG`, `LC_*`, `TZ`, `TMPDIR`; nothing of the server's configuration.
///
/// The service's own `env` wins over what is inherited; secrets win over `env`; what names the environment
/// (`MSX_…`) wins over all.
struct ServiceEnvironment: Sendable {
    static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    let folder: EnvironmentFolder
    let workload: Workload
    let secrets: [String: String]
    let account: ServiceAccount

    func variables(_ purpose: ProcessMark.Purpose, extra: [String: String] = [:]) -> [String: String] {
        var variables = Self.inherited
        variables["HOME"] = account.home
        variables["USER"] = account.name
        variables["LOGNAME"] = account.name
        for (index, port) in workload.ports.enumerated() {
            if index == 0 { variables["PORT"] = String(port.number) }
            variables["PORT_" + Self.suffix(port.name)] = String(port.number)
        }
        for volume in workload.volumes {
            variables["VOLUME_" + Self.suffix(volume.name)] = path(of: volume)
        }
        variables.merge(workload.env) { $1 }
        variables.merge(secrets) { $1 }
        variables.merge(extra) { $1 }
        variables["MSX_ENV_ID"] = workload.environment.rawValue
        variables["MSX_SERVICE"] = serviceName(ofInstance: workload.service)
        variables["MSX_INSTANCE"] = workload.service
        variables[ProcessMark.variable] = ProcessMark(folder: folder).value(
            service: workload.service, generation: workload.generation, purpose)
        return variables
    }

    func path(of volume: Workload.Volume) -> String {
        volume.kind == .host ? volume.mountPath : folder.volume(volume.name, of: workload.service)
    }

    /// Upper case, `_` for what a variable's name cannot hold.
    static func suffix(_ name: String) -> String {
        String(name.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }

    /// What a service looks for programs in that sets no `PATH` of its own.
    static var inheritedPath: String { inherited["PATH"] ?? defaultPath }

    private static let inherited: [String: String] = {
        var kept = ProcessInfo.processInfo.environment.filter { name, _ in
            name == "LANG" || name == "TZ" || name == "TMPDIR" || name.hasPrefix("LC_")
        }
        kept["PATH"] = ProcessInfo.processInfo.environment["PATH"] ?? defaultPath
        return kept
    }()
}
