import Dispatch
import Glibc
import Runtimes

/// What the supervisor holds for one service; belongs to the ``Supervisor`` actor.
final class SupervisedService {
    var machine: ServiceMachine
    var secrets: [String: String]
    let log: ServiceLog
    var mainPid: pid_t?
    var buildPid: pid_t?
    /// Of the present main process or build.
    var pipes: [OutputPipe] = []
    /// Process group of the main process that ended last.
    var watchedGroup: pid_t?
    /// Its processes when they were last looked at: start times by pid.
    var known: [pid_t: UInt64] = [:]
    /// What it has used of the processors.
    var usage = ProcessorUsage()
    /// Its own processes when they were last measured, without those that were run beside it.
    var living: [ProcessTable.Entry] = []
    /// For which generation the ephemeral volumes were emptied.
    var preparedGeneration: Int?
    /// One after the other, volumes are made ready on a thread of their own.
    let preparing = DispatchQueue(label: "microstax.preparing")
    /// Grows with each preparation and each cleaning, so that only the latest preparation starts something.
    var preparation = 0
    /// Grows with each cleaning, so that only the latest reports.
    var cleaning = 0

    init(_ machine: ServiceMachine, secrets: [String: String], log: ServiceLog) {
        self.machine = machine
        self.secrets = secrets
        self.log = log
    }

    var name: String { log.service }

    func prepare(_ folder: EnvironmentFolder, volumesMade: Set<String> = []) -> ServicePreparation {
        ServicePreparation(
            folder: folder, workload: machine.workload, secrets: secrets, volumesMade: volumesMade)
    }

    /// Reads what the processes wrote so far, unfinished lines too.
    func drain() {
        for pipe in pipes { pipe.drain() }
        for stream in [LogLine.Stream.stdout, .stderr, .build] { log.ended(stream) }
    }
}
