import Blueprints
import EnvironmentGraph

/// What the machine denies a program.
extension Rule {
    static let machine: [Rule] = [
        Rule(
            "disk_full", "A disk that the service writes to is full.",
            says: ["No space left on device", "ENOSPC", "could not extend file", "Disk quota exceeded"]
        ) { sight in
            (
                "\(sight.service.name) cannot write: the disk is full.",
                sight.facts.repair(
                    sight.service.name, "see which disk is full, and make room",
                    command: "df -h \(sight.facts.machine.stateFolder)")
            )
        },
        Rule(
            "too_many_open_files", "The service has as many files and connections open as it may.",
            says: ["Too many open files", "EMFILE", "too many open files"]
        ) { sight in
            let limit = sight.facts.machine.openFilesLimit.map { " (the server's limit is \($0))" } ?? ""
            return (
                "\(sight.service.name) has too many files or connections open\(limit).",
                sight.facts.repair(
                    sight.service.name,
                    "see what it holds open; a leak grows, a low limit is raised with `ulimit -n` before the server starts",
                    command: sight.service.pid.map { "ls -l /proc/\($0)/fd | tail" } ?? "ulimit -n")
            )
        },
        Rule(
            "out_of_memory", "The program got no more memory.",
            says: [
                "MemoryError", "java.lang.OutOfMemoryError{}", "JavaScript heap out of memory",
                "Cannot allocate memory",
                "std::bad_alloc", "runtime: out of memory", "memory allocation of {} bytes failed", "ENOMEM",
                "out of memory",
            ]
        ) { sight in
            (
                "\(sight.service.name) ran out of memory.",
                sight.facts.repair(
                    sight.service.name,
                    "see how much there is; then raise its own limit (`-Xmx`, `--max-old-space-size`) or give it less to do",
                    command: "free -h")
            )
        },
        Rule(
            "too_many_processes", "The service may start no more processes or threads.",
            says: [
                "can't start new thread", "Resource temporarily unavailable", "unable to create native thread",
                "cannot fork",
            ]
        ) { sight in
            (
                "\(sight.service.name) cannot start more processes or threads.",
                sight.facts.repair(sight.service.name, "see the limit", command: "ulimit -u")
            )
        },
        Rule(
            "privileged_port", "The service wants a port below 1024 and is not root.",
            says: ["bind() to 0.0.0.0:{} failed (13: Permission denied)", "listen EACCES: permission denied {}"]
        ) { sight in
            (
                "\(sight.service.name) wants port \(sight.first.word()), which only root may have; it was given \(sight.service.portNumbers) (PORT).",
                sight.facts.repair(sight.service.name, "make it listen on the port in its variable PORT")
            )
        },
        Rule(
            "permission_denied", "The service may not use a file or folder.",
            says: [
                "PermissionError: [Errno 13] Permission denied: {}", "EACCES: permission denied, {}",
                "{}: Permission denied", "open {}: permission denied", "AccessDeniedException: {}",
                "Permission denied: {}", "has wrong ownership", "has invalid permissions",
                "Can't open or create append-only dir {}: Permission denied", "Permission denied",
            ]
        ) { sight in
            let path = sight.first.split(separator: " ").last.map { $0.trimmed } ?? ""
            let user = sight.service.spec.user.map { " as user \($0)" } ?? ""
            return (
                "\(sight.service.name)\(user) may not use \(path.isEmpty ? "a file" : path).",
                sight.facts.repair(
                    sight.service.name, "see whose it is, and give it to the service's user",
                    command: path.hasPrefix("/")
                        ? "ls -ld \(path)" : "microstax env logs \(sight.facts.name) --service \(sight.service.name)")
            )
        },
        Rule(
            "read_only_files", "The service writes where nobody can write.",
            says: ["Read-only file system", "EROFS"]
        ) { sight in
            (
                "\(sight.service.name) writes to a file system that is read-only.",
                sight.facts.repair(
                    sight.service.name, "give it a volume, and write to the folder in VOLUME_<NAME>",
                    command: "mount | grep 'ro,'")
            )
        },
    ]
}
