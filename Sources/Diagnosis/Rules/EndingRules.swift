import Blueprints
import EnvironmentGraph

/// How a process ended, for those that say nothing more.
extension Rule {
    static let endings: [Rule] =
        [
            Rule(
                "killed", "Something outside killed the process (SIGKILL).", shownBy: "exit code 137"
            ) { service, facts in
                guard service.exitCode == 137, service.isDownByItself(facts) else { return nil }
                let ours = service.log.contains { $0.isEvent && $0.text.hasPrefix("still running after") }
                guard !ours else { return nil }
                return Draft(
                    "\(service.name) was killed from outside (SIGKILL): by the kernel for want of memory, or by somebody.",
                    [service.statusEvidence] + service.ends() + service.lastLines(1),
                    facts.repair(
                        service.name, "ask the kernel whether it was for memory",
                        command: "dmesg -T | grep -i 'killed process' | tail -3"), confidence: .likely)
            },
            crash("segmentation_fault", 139, "SIGSEGV", "The program used memory that is not its own."),
            crash("aborted", 134, "SIGABRT", "The program gave itself up (abort, failed assertion)."),
            crash("bus_error", 135, "SIGBUS", "A file that the program has mapped was cut, or the disk failed."),
            crash("arithmetic_error", 136, "SIGFPE", "The program divided by zero."),
            crash(
                "illegal_instruction", 132, "SIGILL", "The program uses instructions that this processor does not have."
            ),
        ] + exceptions + [
            Rule(
                "ends_at_once", "The program ends without an error right after its start, and should go on running.",
                shownBy: "exit code 0 under `restart: always`", standing: .general
            ) { service, facts in
                guard service.exitCode == 0, service.spec.restart == .always, service.isDownByItself(facts) else {
                    return nil
                }
                return Draft(
                    "\(service.name) ends at once without an error (exit code 0), but is to run always.",
                    [service.statusEvidence] + service.ends() + service.lastLines(1),
                    facts.edit(
                        service.name, "restart",
                        "keep it in the foreground (no `&`, no daemon mode), or say `restart: never` for a job"))
            },
            Rule(
                "ended_by_policy", "The program ended, and its `restart` leaves it ended.",
                shownBy: "state stopped or failed under `restart: never|onFailure`", standing: .general
            ) { service, facts in
                guard service.spec.restart != .always, [.stopped, .failed].contains(service.state),
                    let code = service.exitCode, service.spec.restart == .never || code == 0
                else { return nil }
                return Draft(
                    "\(service.name) ended (exit code \(code)), and its `restart: \(service.spec.restart.rawValue)` leaves it ended.",
                    [service.statusEvidence] + service.lastLines(2),
                    [facts.goOn(service.name), facts.logs(service.name)])
            },
            Rule(
                "stopped_by_somebody", "The service was stopped, and nothing starts it again.",
                shownBy: "state stopped while the environment runs", standing: .general
            ) { service, facts in
                guard service.state == .stopped else { return nil }
                return Draft(
                    "\(service.name) was stopped while its environment runs.", [service.statusEvidence],
                    [facts.restart(service.name)], confidence: .likely)
            },
            Rule(
                "exits", "The program ends with an error code of its own.",
                shownBy: "the exit code and the last output",
                standing: .general
            ) { service, facts in
                guard let code = service.exitCode, code != 0, service.isDownByItself(facts) else { return nil }
                let said = service.lastLines(3)
                let last = said.last.map { ", having said: \($0.line.trimmed)" } ?? " without a word"
                return Draft(
                    "\(service.name) ends with exit code \(code)\(last).", said + [service.statusEvidence],
                    [facts.logs(service.name), facts.goOn(service.name)], confidence: .likely)
            },
            Rule(
                "never_started", "The runtime has never heard of a service that should run.",
                shownBy: "the runtime's list of workloads", standing: .general
            ) { service, facts in
                guard service.state == .absent, facts.failedExecution == nil else { return nil }
                return Draft(
                    "\(service.name) should run, and the runtime does not know it.", [service.statusEvidence],
                    [facts.restart(service.name)])
            },
        ]

    private static func crash(_ code: String, _ exit: Int32, _ signal: String, _ summary: String) -> Rule {
        Rule(code, summary, shownBy: "exit code \(exit) (\(signal))") { service, facts in
            guard service.exitCode == exit, service.isDownByItself(facts) else { return nil }
            return Draft(
                "\(service.name) crashed (\(signal)): \(summary.prefix(1).lowercased())\(summary.dropFirst())",
                service.lastLines(2) + service.ends() + [service.statusEvidence],
                facts.repair(
                    service.name, "look for its core dump, or start it under a debugger",
                    command: "coredumpctl info \(service.spec.command.first?.split(separator: "/").last ?? "")"))
        }
    }

    static let notStarted = Rule(
        "not_started", "The service was not started, because the execution ended before its turn.",
        shownBy: "the runtime's list of workloads and the execution", standing: .last
    ) { service, facts in
        guard [.absent, .pending].contains(service.state), facts.failedExecution != nil,
            facts.failedStep(of: service.name) == nil
        else { return nil }
        return Draft("\(service.name) was not started.", [service.statusEvidence], [facts.goOn(service.name)])
    }

    /// Where nothing says why.
    static let unexplained = Rule(
        "unexplained", "The service is not well, and nothing that was looked at says why.",
        shownBy: "the absence of everything above", standing: .last
    ) { service, facts in
        // The step's own error says more.
        guard service.state != .absent || facts.failedStep(of: service.name) == nil else { return nil }
        switch service.trouble(in: facts) {
        case .flapping:
            return Draft(
                "\(service.name) answers now, but was started again \(service.restarts) times a moment ago; nothing says why.",
                [service.statusEvidence] + service.ends() + service.lastLines(), [facts.logs(service.name)],
                confidence: .guess)
        case .slow:
            return Draft(
                "\(service.name) is still \(service.state.rawValue), since \((facts.now - service.since) / 1000) s.",
                [service.statusEvidence] + service.lastLines(), [facts.logs(service.name)], confidence: .guess)
        default:
            return Draft(
                "\(service.name) is \(service.state.rawValue), and nothing that was looked at says why (\(facts.lookedAt.joined(separator: ", "))).",
                [service.statusEvidence] + service.lastLines(), [facts.logs(service.name)], confidence: .guess)
        }
    }
}

extension ServiceFacts {
    /// Whether its exit code is the reason of its state, not history.
    fileprivate func isDownByItself(_ facts: Facts) -> Bool {
        switch state {
        case .failed, .restarting: true
        case .ready: restarts > 0
        // One that has been starting for longer has another reason now.
        case .starting: restarts > 0 && facts.now - since < Self.patience
        default: false
        }
    }

    /// The runtime's last words on how a run ended.
    fileprivate func ends() -> [Evidence] {
        log.last(where: \.isEnd).map { [Evidence(.status, $0.text)] } ?? []
    }
}
