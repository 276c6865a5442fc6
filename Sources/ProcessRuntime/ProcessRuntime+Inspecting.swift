import EnvironmentGraph
import Glibc
import Runtimes

extension ProcessRuntime {
    /// Reads `/proc` on a thread of its own; sockets of processes that may not be looked into have no owner and are left
    /// out.
    package func inspect(_ environment: EnvironmentID) async throws -> WorkloadInspection {
        let folder = try folder(environment)
        guard folder.exists else { return WorkloadInspection() }
        let statuses = try await observe(environment)
        return await OffPool.run {
            let roots = statuses.reduce(into: [pid_t: String]()) { roots, status in
                if let pid = status.pid { roots[pid] = status.service }
            }
            return WorkloadInspection(
                sockets: Self.sockets(roots, mark: ProcessMark(folder: folder)), programs: Self.programs(folder))
        }
    }

    private static func sockets(_ roots: [pid_t: String], mark: ProcessMark) -> [WorkloadInspection.Socket] {
        let listening = Dictionary(grouping: ListeningSocket.all(), by: \.link)
        guard !listening.isEmpty else { return [] }
        let processes = ProcessTable.all()
        let parents = Dictionary(processes.map { ($0.pid, $0.parent) }, uniquingKeysWith: { first, _ in first })
        var found: [WorkloadInspection.Socket] = []
        var seen: Set<String> = []
        for process in processes where !process.isZombie {
            for name in FolderListing.names("/proc/\(process.pid)/fd") {
                guard let link = ProcessTable.link("/proc/\(process.pid)/fd/\(name)"), let sockets = listening[link],
                    seen.insert("\(process.pid) \(link)").inserted
                else { continue }
                let service = service(of: process, roots, parents, mark)
                found += sockets.map {
                    WorkloadInspection.Socket(
                        address: $0.address, port: $0.port, pid: process.pid, program: process.name, service: service)
                }
            }
        }
        return found.sorted { ($0.port, $0.address, $0.pid) < ($1.port, $1.address, $1.pid) }
    }

    /// By its session, its ancestors, or the mark in its environment, which some programs erase.
    private static func service(
        of process: ProcessTable.Entry, _ roots: [pid_t: String], _ parents: [pid_t: pid_t], _ mark: ProcessMark
    ) -> String? {
        if let service = roots[process.session] ?? roots[process.pid] { return service }
        var pid = process.parent
        for _ in 0..<64 where pid > 1 {
            if let service = roots[pid] { return service }
            pid = parents[pid] ?? 0
        }
        guard let value = ProcessTable.variable(ProcessMark.variable, of: process.pid) else { return nil }
        return mark.service(ofValue: value)?.service
    }

    /// The files that the services' commands name, by service.
    private static func programs(_ folder: EnvironmentFolder) -> [String: WorkloadInspection.Program] {
        // What cannot be read is told by whoever runs the environment.
        guard let state = try? DesiredState.load(folder.workloads) else { return [:] }
        var found: [String: WorkloadInspection.Program] = [:]
        for workload in state.entries.map(\.workload) {
            guard let word = workload.command.first else { continue }
            let search = workload.env["PATH"] ?? ServiceEnvironment.inheritedPath
            let folders = word.contains("/") ? [""] : search.split(separator: ":").map(String.init)
            for folder in folders {
                let path =
                    word.hasPrefix("/") ? word : folder.isEmpty ? "\(workload.workdir)/\(word)" : "\(folder)/\(word)"
                var status = stat()
                guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
                // Root may execute what anybody may.
                found[workload.service] = WorkloadInspection.Program(
                    path: path, isExecutable: access(path, X_OK) == 0)
                if found[workload.service]?.isExecutable == true { break }
            }
        }
        return found
    }
}
