import Glibc

/// Which processes belong to which service.
///
/// As the supervisor is a subreaper, all of them descend from it for as long as it lives; the question is only whose
/// they are. In this order:
/// 1. by descent from the main process or the build, now or when it was last looked;
/// 2. by `MSX_MARK`, for those whose parents have ended;
/// 3. by the log pipes, for those that cleared their environment as well;
/// 4. in an environment of one service, everything that nobody else started.
extension Supervisor {
    /// Everything that the service started and that lives.
    func processes(of service: SupervisedService) -> [ProcessTable.Entry] {
        let all = ProcessTable.all()
        let ours = ProcessTable.descendants(of: [getpid()], in: all)
        let inodes = Set(service.pipes.compactMap { ProcessTable.link("/proc/self/fd/\($0.descriptor)") })
        let withRuns = service.machine.stopRequested || isEnding
        var roots: Set<pid_t> = []
        var others: Set<pid_t> = []
        for entry in ours {
            if entry.pid == service.mainPid || entry.pid == service.buildPid {
                roots.insert(entry.pid)
            } else if let value = ProcessTable.variable(ProcessMark.variable, of: entry.pid),
                let (name, purpose) = mark.service(ofValue: value)
            {
                if name == service.name, withRuns || !purpose.isBeside {
                    roots.insert(entry.pid)
                } else {
                    others.insert(entry.pid)
                }
            } else if service.known[entry.pid] == entry.startTime || writes(entry.pid, to: inodes) {
                roots.insert(entry.pid)
            } else if services.count == 1, entry.parent == getpid(), onExit[entry.pid] == nil {
                roots.insert(entry.pid)
            }
        }
        let trees = Set(ProcessTable.descendants(of: roots, in: all).map(\.pid)).subtracting(others)
        return ours.filter { !$0.isZombie && (roots.contains($0.pid) || trees.contains($0.pid)) }
    }

    /// Notes whose its processes are while their parents tell.
    func remember(_ service: SupervisedService) {
        service.known = Dictionary(processes(of: service).map { ($0.pid, $0.startTime) }) { first, _ in first }
    }

    private func writes(_ pid: pid_t, to inodes: Set<String>) -> Bool {
        (1...2).contains { ProcessTable.link("/proc/\(pid)/fd/\($0)").map(inodes.contains) ?? false }
    }
}
