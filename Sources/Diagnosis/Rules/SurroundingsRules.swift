import Blueprints
import EnvironmentGraph

/// The runtime, this machine, and what was recorded before.
extension Rule {
    /// Free space below which writing soon fails.
    private static let littleSpace: UInt64 = 100 << 20

    static let surroundings: [Rule] = [
        Rule(
            environment: "runtime_not_reachable", "The runtime cannot be asked about the environment.",
            shownBy: "the supervisor's control socket"
        ) { facts in
            guard let problem = facts.runtimeProblem else { return [] }
            return [
                Draft(
                    "nothing is known of the services of \(facts.name): their supervisor cannot be reached.",
                    [Evidence(.status, problem)],
                    [
                        Suggestion(
                            id: "supervisor-log", title: "see what it says",
                            command:
                                "tail -20 \(facts.machine.stateFolder)/environments/\(facts.environment.id)/supervisor.log"
                        )
                    ])
            ]
        },
        Rule(
            environment: "supervisor_replaced", "The supervisor ended, and a new one has started the services again.",
            shownBy: "the services' logs", severity: .notice
        ) { facts in
            let told = facts.services.compactMap { service in
                service.log.last { $0.isEvent && $0.text.hasPrefix("taken over by a new supervisor") }
                    .map { (service.name, $0) }
            }.filter { facts.now - $0.1.time < 600_000 }
            guard let (service, line) = told.first else { return [] }
            return [
                Draft(
                    "the supervisor of \(facts.name) ended \((facts.now - line.time) / 1000) s ago; a new one started its services again.",
                    [Evidence(.log, "\(service): \(line.text)")],
                    [
                        Suggestion(
                            id: "supervisor-log", title: "see whether it said why",
                            command:
                                "tail -20 \(facts.machine.stateFolder)/environments/\(facts.environment.id)/supervisor.log"
                        )
                    ], confidence: .certain)
            ]
        },
        Rule(
            environment: "machine_disk_full", "The disk of the state folder is nearly full.",
            shownBy: "the file system",
            severity: .warning
        ) { facts in
            let isFull = facts.machine.freeBytes.map { $0 < littleSpace } ?? false
            let hasNoFiles = facts.machine.freeFiles.map { $0 < 1000 } ?? false
            guard isFull || hasNoFiles else { return [] }
            let left =
                isFull
                ? "\((facts.machine.freeBytes ?? 0) >> 20) MiB" : "\(facts.machine.freeFiles ?? 0) files"
            return [
                Draft(
                    "the disk of the state folder has only \(left) left.",
                    [Evidence(.machine, "\(facts.machine.stateFolder): \(left) free")],
                    [Suggestion(id: "make-room", title: "make room", command: "df -h \(facts.machine.stateFolder)")])
            ]
        },
        Rule(
            environment: "foreign_change", "Somebody else changed what the platform keeps.",
            shownBy: "a recorded deviation that is still there", severity: .warning
        ) { facts in
            let kinds = ["volumeMissing", "fileChanged", "workloadChanged", "workloadUnexpected"]
            return facts.deviations.filter { $0.isOpen && kinds.contains($0.kind) }.map { deviation in
                Draft(
                    deviation.message + ".",
                    [Evidence(.deviation, "\(deviation.kind): \(deviation.message)")],
                    [
                        Suggestion(
                            id: "repair",
                            title: deviation.kind == "volumeMissing"
                                ? "put it back where it was, or begin again without its data" : "put it right",
                            command: "microstax env repair \(facts.name)"),
                        Suggestion(
                            id: "deviations", title: "see everything that was recorded",
                            command: "microstax env deviations \(facts.name)"),
                    ], service: deviation.service,
                    severity: deviation.kind == "volumeMissing" ? .error : .warning)
            }
        },
    ]
}
