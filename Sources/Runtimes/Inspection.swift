import EnvironmentGraph

/// What a runtime can say of an environment beyond its services' states, for those who look for the reason of a fault. A
/// runtime that cannot look that deep says nothing.
package struct WorkloadInspection: Sendable, Hashable {
    /// A TCP socket of the machine that somebody listens on.
    package struct Socket: Sendable, Hashable {
        /// `127.0.0.1`, `0.0.0.0`, `::1`, …
        package var address: String
        package var port: Int
        package var pid: Int32
        package var program: String
        /// The service of this environment that the process belongs to.
        package var service: String?

        package init(address: String, port: Int, pid: Int32, program: String, service: String?) {
            self.address = address
            self.port = port
            self.pid = pid
            self.program = program
            self.service = service
        }
    }

    /// The file that a service's command names.
    package struct Program: Sendable, Hashable {
        package var path: String
        package var isExecutable: Bool

        package init(path: String, isExecutable: Bool) {
            self.path = path
            self.isExecutable = isExecutable
        }
    }

    package var sockets: [Socket]
    /// By service; of those whose command names a file that exists.
    package var programs: [String: Program]

    package init(sockets: [Socket] = [], programs: [String: Program] = [:]) {
        self.sockets = sockets
        self.programs = programs
    }
}

extension Runtime {
    package func inspect(_ environment: EnvironmentID) async throws -> WorkloadInspection { WorkloadInspection() }
}
