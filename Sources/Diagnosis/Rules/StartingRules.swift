import Blueprints
import EnvironmentGraph

/// Why a program cannot be run at all.
extension Rule {
    static let starting: [Rule] = [
        Rule(
            "program_not_executable", "The program is there and may not be executed.",
            shownBy: "the file's mode, or exit code 126"
        ) { service, facts in
            if let program = service.program, !program.isExecutable, service.pid == nil,
                [.failed, .restarting].contains(service.state)
            {
                return Draft(
                    "\(service.name) cannot be started: \(program.path) is not executable.",
                    [service.statusEvidence, Evidence(.machine, "\(program.path) has no execute permission")],
                    facts.repair(service.name, "make it executable", command: "chmod +x \(program.path)"))
            }
            guard service.exitCode == 126,
                let line = service.output.last(where: { $0.contains("ermission denied") })
            else { return nil }
            let word = line.split(separator: ":").map(String.init).dropLast().last?.trimmed ?? "the program"
            return Draft(
                "\(service.name) cannot be started: \(word) is not executable.",
                [Evidence(.log, line), service.statusEvidence],
                facts.repair(service.name, "make it executable", command: "chmod +x \(word)"))
        },
        Rule(
            "wrong_architecture", "The program is for another kind of machine, or no program at all.",
            says: ["Exec format error", "cannot execute binary file", "Illegal instruction"], by: [.log, .status]
        ) { sight in
            let path = sight.service.program?.path ?? sight.service.spec.command.first ?? "the program"
            return (
                "\(sight.service.name) cannot be started: \(path) is not a program for this machine.",
                sight.facts.repair(
                    sight.service.name, "see what it is, and build it for this machine", command: "file \(path)")
            )
        },
        Rule(
            "program_missing", "The program does not exist.",
            says: [
                "no such program: `{}`", "exec: \"{}\": executable file not found in $PATH", "{}: command not found",
                "env: ‘{}’: No such file or directory", "{}: not found",
            ], by: [.log, .status]
        ) { sight in
            let isTold = sight.line.contains("no such program") || sight.line.contains("executable file not found")
            guard isTold || sight.service.exitCode == 127 else { return nil }
            let word = sight.first.split(separator: ":").last.map { $0.trimmed } ?? sight.first
            return (
                "\(sight.service.name) cannot be started: there is no program `\(word)`.",
                sight.facts.repair(
                    sight.service.name, "install it, or name it by its whole path in `command`",
                    command: "command -v \(word.split(separator: "/").last ?? "")")
            )
        },
        Rule(
            "workdir_missing", "The folder that the service runs in does not exist.",
            says: ["no such folder: {} (workdir)", "cannot enter {} (workdir): No such file"], by: [.log, .status]
        ) { sight in
            (
                "\(sight.service.name) cannot be started: its folder \(sight.first) does not exist.",
                sight.facts.repair(sight.service.name, "make the folder", command: "mkdir -p \(sight.first)")
            )
        },
        Rule(
            "user_unknown", "The user that the service runs as does not exist.",
            says: ["there is no user `{}`"], by: [.log, .status]
        ) { sight in
            (
                "\(sight.service.name) cannot be started: this machine has no user \(sight.first).",
                sight.facts.repair(
                    sight.service.name, "make the user, or change `user`",
                    command: "useradd --system \(sight.first)")
            )
        },
        Rule(
            "folder_closed", "The service's user cannot enter a folder on the way to its own.",
            says: [
                "user {} cannot enter {} (workdir): {} is closed to it",
                "user {} cannot reach its volume {}: {} is closed",
            ], by: [.log, .status]
        ) { sight in
            let folder = sight.captures.last?.trimmed ?? ""
            return (
                "\(sight.service.name) cannot be started: its user \(sight.first) may not enter \(folder).",
                sight.facts.repair(sight.service.name, "let others pass the folder", command: "chmod o+x \(folder)")
            )
        },
        Rule(
            "volume_missing", "A folder of this machine that is mounted does not exist.",
            says: ["volume {}: there is no {} on this machine"], by: [.log, .status]
        ) { sight in
            let folder = sight.captures.last?.trimmed ?? ""
            return (
                "\(sight.service.name) cannot be started: \(folder), which its volume \(sight.first) mounts, does not exist.",
                sight.facts.repair(sight.service.name, "make the folder", command: "mkdir -p \(folder)")
            )
        },
        Rule("build_failed", "The service's build did not succeed.", shownBy: "the build's exit code and output") {
            service, facts in
            guard let message = service.message, message.hasPrefix("build ") else { return nil }
            let built = service.log.filter(\.isBuild).map(\.text)
            let lines = (built.isEmpty ? service.lastOutput : built).filter { !$0.allSatisfy(\.isWhitespace) }
            let told = lines.last { $0.contains("error") || $0.contains("Error") } ?? lines.last
            return Draft(
                "\(service.name) cannot be started: its \(message).",
                (told.map { [Evidence(.log, $0)] } ?? []) + [service.statusEvidence],
                facts.repair(
                    service.name, "see the whole output of the build, and mend what it names",
                    command: "microstax env logs \(facts.name) --service \(service.name)"))
        },
        Rule(
            "waits_for_secrets", "The supervisor was started anew and waits for the service's secrets.",
            says: ["waits for its secrets"], by: [.log, .status]
        ) { sight in
            (
                "\(sight.service.name) waits for its secrets, which the server gives it again by itself within seconds.",
                [
                    Suggestion(
                        id: "look-again", title: "look again in a moment",
                        command: "microstax env status \(sight.facts.name)")
                ]
            )
        },
        Rule(
            "not_killable", "A process of an earlier run cannot be killed.",
            says: ["could not kill {}", "pid {} of an earlier run could not be killed"], by: [.log, .status]
        ) { sight in
            (
                "\(sight.service.name) is not started anew, because \(sight.first) of an earlier run cannot be killed.",
                sight.facts.repair(
                    sight.service.name, "see what it waits for (state D is the kernel: a hung disk or mount)",
                    command: "ps -o pid,stat,wchan,cmd -p \(sight.first.filter(\.isNumber))")
            )
        },
    ]
}
