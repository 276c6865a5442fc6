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
    /// One look at the machine's processes, enough to tell for every service which are its own.
    struct Look {
        let all: [ProcessTable.Entry]
        /// Descendants of this process.
        let ours: [ProcessTable.Entry]
        fileprivate let marks: [pid_t: String]

        init() {
            all = ProcessTable.all()
            ours = ProcessTable.descendants(of: [getpid()], in: all)
            var marks: [pid_t: String] = [:]
            for entry in ours { marks[entry.pid] = ProcessTable.variable(ProcessMark.variable, of: entry.pid) }
            self.marks = marks
        }
    }

    /// Everything that the service started and that lives.
    func processes(of service: SupervisedService) -> [ProcessTable.Entry] {
        let withRuns = service.machine.stopRequested || isEnding
        return members(of: service, in: Look()) { withRuns || !$0.isBeside }.filter { !$0.isZombie }
    }

    /// - Parameter counts: whether what was started with such a purpose is wanted.
    func members(
        of service: SupervisedService, in look: Look, _ counts: (ProcessMark.Purpose) -> Bool
    ) -> [ProcessTable.Entry] {
        let (all, ours) = (look.all, look.ours)
        let inodes = Set(service.pipes.compactMap { ProcessTable.link("/proc/self/fd/\($0.descriptor)") })
        var roots: Set<pid_t> = []
        var others: Set<pid_t> = []
        for entry in ours {
            if entry.pid == service.mainPid || entry.pid == service.buildPid {
                roots.insert(entry.pid)
            } else if let value = look.marks[entry.pid], let (name, purpose) = mark.service(ofValue: value) {
                if name == service.name, counts(purpose) {
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
        return ours.filter { roots.contains($0.pid) || trees.contains($0.pid) }
    }

    /// Notes whose its processes are while their parents tell.
    func remember(_ service: SupervisedService) { remember(service, processes(of: service)) }

    func remember(_ service: SupervisedService, _ processes: [ProcessTable.Entry]) {
        service.known = Dictionary(processes.map { ($0.pid, $0.startTime) }) { first, _ in first }
    }

    /// The same for every service that runs, with one look.
    func rememberAll() {
        let running = services.values.filter { $0.mainPid != nil }
        guard !running.isEmpty else { return }
        let look = Look()
        for service in running {
            let withRuns = service.machine.stopRequested || isEnding
            remember(service, members(of: service, in: look) { withRuns || !$0.isBeside }.filter { !$0.isZombie })
        }
    }

    private func writes(_ pid: pid_t, to inodes: Set<String>) -> Bool {
        (1...2).contains { ProcessTable.link("/proc/\(pid)/fd/\($0)").map(inodes.contains) ?? false }
    }
}
