import EnvironmentGraph
import Glibc

/// The variable by which everything that was started for a service can be found again: `MSX_MARK`, whose value is
/// `<root>/<environment>/<service>/<generation>/<purpose>`. `root` stands for the folder of all environments, so that
/// two servers on one machine never take each other's processes for their own.
struct ProcessMark: Sendable, Hashable {
    enum Purpose: String, Sendable {
        case main, build, probe, run, exec

        /// Whether such a process lives beside the service's own, and is ended only when the service is to stop.
        var isBeside: Bool { self == .run || self == .exec }
    }

    static let variable = "MSX_MARK"
    /// Names the session of a command that somebody watches.
    static let sessionVariable = "MSX_EXEC_SESSION"
    static let supervisorVariable = "MSX_SUPERVISOR"

    let root: String
    let environment: EnvironmentID
    private let leaders: String

    init(folder: EnvironmentFolder) {
        root = ShortHash.of(folder.root)
        environment = folder.environment
        leaders = folder.leaders
    }

    func value(service: String, generation: Int, _ purpose: Purpose) -> String {
        "\(prefix)\(service)/\(generation)/\(purpose.rawValue)"
    }

    var supervisorValue: String { "\(root)/\(environment)" }

    private var prefix: String { "\(root)/\(environment)/" }

    /// Which service a process was started for; `nil` where it is none of this environment.
    func service(ofValue value: String) -> (service: String, purpose: Purpose)? {
        guard value.hasPrefix(prefix) else { return nil }
        let parts = value.dropFirst(prefix.count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, let purpose = Purpose(rawValue: String(parts[2])) else { return nil }
        return (String(parts[0]), purpose)
    }

    /// Every living process of the environment on this machine, whoever its parent is: those with the mark, those that
    /// were recorded when they started, and everything below them or in their sessions.
    func strays() -> [ProcessTable.Entry] {
        let all = ProcessTable.all()
        let recorded = Set(LeaderFile(path: leaders).living(among: all).map(\.pid))
        let below = Set(ProcessTable.descendants(of: recorded, in: all).map(\.pid))
        return all.filter { entry in
            guard !entry.isZombie, entry.pid != getpid() else { return false }
            if recorded.contains(entry.pid) || below.contains(entry.pid) || recorded.contains(entry.session) {
                return true
            }
            return ProcessTable.variable(Self.variable, of: entry.pid)?.hasPrefix(prefix) ?? false
        }
    }

    /// Living supervisors of the environment other than this process, found by their mark.
    func supervisors() -> [ProcessTable.Entry] {
        ProcessTable.all().filter { entry in
            !entry.isZombie && entry.pid != getpid()
                && ProcessTable.variable(Self.supervisorVariable, of: entry.pid) == supervisorValue
        }
    }

    /// Waits until the recorded processes, which have ended, were taken from the process table by whoever inherited them: a
    /// program that finds its last run's pid in a file (PostgreSQL's `postmaster.pid`) asks the kernel whether that lives,
    /// and the kernel says yes of one that nobody has waited for. Where process 1 never does, that is not waited for longer
    /// than the limit.
    func untilReaped(within limit: Duration = .seconds(4)) async {
        let deadline = ContinuousClock.now + limit
        let file = LeaderFile(path: leaders)
        while await OffPool.run({ !file.recorded(among: ProcessTable.all()).isEmpty }), ContinuousClock.now < deadline {
            // Cancelling only shortens the pause; the deadline still holds.
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Kills all strays and waits until there are none; gives those that are left at the deadline.
    func killStrays(within limit: Duration = .seconds(10)) async -> [ProcessTable.Entry] {
        let deadline = ContinuousClock.now + limit
        while true {
            let left = await OffPool.run { strays() }
            guard !left.isEmpty, ContinuousClock.now < deadline else { return left }
            for entry in left { kill(entry.pid, SIGKILL) }
            // Cancelling only shortens the pause; the deadline still holds.
            try? await Task.sleep(for: .milliseconds(5))
        }
    }
}
