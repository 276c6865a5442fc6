import EnvironmentGraph
import Glibc
import Runtimes

/// Where everything of one environment is kept. Folders on the way to a volume may be passed by any user (0711), so that
/// a service that runs as another user reaches its volume; files and logs are for the owner alone.
package struct EnvironmentFolder: Sendable, Hashable {
    /// Folder of all environments.
    package let root: String
    package let environment: EnvironmentID

    package init(root: String, environment: EnvironmentID) {
        self.root = root
        self.environment = environment
    }

    package var path: String { "\(root)/\(environment)" }
    /// Who supervises: ``SupervisorRecord``.
    var record: String { path + "/supervisor.json" }
    /// What should run: ``DesiredState``.
    var workloads: String { path + "/workloads.json" }
    /// One line per ended process: ``ExitRecord``.
    var exits: String { path + "/exits.jsonl" }
    /// What leads a session of ours: ``LeaderFile``.
    var leaders: String { path + "/leaders.jsonl" }
    var lock: String { path + "/supervisor.lock" }
    var supervisorLog: String { path + "/supervisor.log" }
    var logs: String { path + "/logs" }
    var volumes: String { path + "/volumes" }

    func logs(of service: String) -> String { "\(logs)/\(service)" }
    func volume(_ volume: String, of service: String) -> String { "\(volumes)/\(service)/\(volume)" }

    /// Whether a name can be a path component of ours.
    static func isUsable(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 200 && name.utf8.first != UInt8(ascii: ".")
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    var exists: Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    func create() throws {
        try SmallFile.createFolder(root, mode: 0o711)
        try SmallFile.createFolder(path, mode: 0o711)
    }
}
