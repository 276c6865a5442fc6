import Glibc

/// Optional programs: what they are for, and how Debian gives them.
package enum ProgramChecks {
    private struct Program {
        var name: String
        var purpose: String
        var package: String
        /// Beside `PATH`.
        var folders: [String] = []
    }

    private static let programs = [
        Program(name: "psql", purpose: "`init: {type: sql}` on PostgreSQL", package: "postgresql-client"),
        Program(
            name: "postgres", purpose: "the demo's database", package: "postgresql",
            folders: (13...19).reversed().map { "/usr/lib/postgresql/\($0)/bin" }),
        Program(name: "redis-server", purpose: "the demo's cache", package: "redis-server"),
        Program(name: "python3", purpose: "the demo's services", package: "python3"),
        Program(name: "curl", purpose: "the requests in the documentation", package: "curl"),
    ]

    /// - Parameter path: the value of `PATH`.
    package static func run(path: String) -> [DoctorCheck] {
        let folders = path.split(separator: ":").map(String.init)
        let sudo = geteuid() == 0 ? "" : "sudo "
        return programs.map { program in
            let found = (folders + program.folders).map { $0 + "/" + program.name }.first { access($0, X_OK) == 0 }
            guard let found else {
                return DoctorCheck(
                    program.name, .missing, "not found; only for \(program.purpose)",
                    mend: "\(sudo)apt-get install -y \(program.package)")
            }
            return DoctorCheck(program.name, .ok, found)
        }
    }
}
