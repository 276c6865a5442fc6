import Blueprints
import EnvironmentGraph

/// What programs say when they lack something, in the words of their languages.
extension Rule {
    static let programs: [Rule] = [
        Rule(
            "missing_module", "A module or package that the program needs is not installed.",
            says: [
                "ModuleNotFoundError: No module named {}", "ImportError: No module named {}", "Cannot find module {}",
                "Cannot find package {}", "cannot load such file -- {}", "ClassNotFoundException: {}",
                "NoClassDefFoundError: {}", "Could not find or load main class {}",
                "no required module provides package {}",
            ]
        ) { sight in
            let name = sight.first.word()
            let manager =
                sight.line.contains("No module named")
                ? "pip install \(name.split(separator: ".").first ?? "")"
                : sight.line.contains("Cannot find")
                    ? name.hasPrefix("/") || name.hasPrefix(".") ? nil : "npm install \(name)" : nil
            return (
                "\(sight.service.name) needs the module \(name), which is not there.",
                sight.facts.repair(
                    sight.service.name, "install it (best in `build`, so that every start has it)", command: manager)
            )
        },
        Rule(
            "missing_library", "A shared library that the program needs is not installed.",
            says: [
                "error while loading shared libraries: {}: cannot open shared object",
                "ImportError: {}: cannot open shared",
                "OSError: {}: cannot open shared object file",
                "Library not loaded: {}", "version `{}' not found (required by",
            ]
        ) { sight in
            (
                "\(sight.service.name) needs the library \(sight.first), which is not there.",
                sight.facts.repair(
                    sight.service.name, "find the package that has it", command: "apt-file search \(sight.first)")
            )
        },
        Rule(
            "missing_variable", "An environment variable that the program needs is not set.",
            says: [
                "KeyError: {}", "environment variable {} is not set", "nvironment variable {} not set", "{} is not set",
                "{} not set", "{}: unbound variable", "{}: parameter not set", "{}: parameter null or not set",
                "required key {} missing value", "{} is required", "{} must be set", "Missing {}", "{} is not defined",
                "environment variable: {}", "environment variable not found: {}",
            ]
        ) { sight in
            let word = sight.first.split(separator: " ").last.map { $0.trimmed } ?? ""
            let candidates = [sight.first.word(), word.split(separator: ":").last.map { $0.trimmed } ?? ""]
            guard let name = candidates.first(where: \.isVariableName), sight.service.spec.env[name] == nil,
                !sight.service.spec.secrets.contains(where: { $0.envKey == name })
            else { return nil }
            return (
                "\(sight.service.name) needs the environment variable \(name), which nobody sets.",
                sight.facts.edit(
                    sight.service.name, "env", "set services.\(sight.service.name).env.\(name) in the Blueprint")
            )
        },
        Rule(
            "missing_file", "A file that the program opens does not exist.",
            says: [
                "FileNotFoundError: [Errno 2] No such file or directory: {}", "ENOENT: no such file or directory, {}",
                "can't open file {}: [Errno 2]", "java.io.FileNotFoundException: {}", "cannot open {}: No such file",
                "Unable to access jarfile {}", "open {}: no such file or directory", "{}: No such file or directory",
            ]
        ) { sight in
            let path = sight.first.split(separator: " ").last.map { $0.trimmed } ?? sight.first
            return (
                "\(sight.service.name) needs the file \(path), which does not exist.",
                sight.facts.repair(
                    sight.service.name, "see what is there (relative paths start in \(sight.service.spec.workdir))",
                    command: "ls -la \(path.hasPrefix("/") ? path : sight.service.spec.workdir)")
            )
        },
        Rule(
            "syntax_error", "The program's source cannot be read.",
            says: [
                "SyntaxError: {}", "IndentationError: {}", "TabError: {}", "Parse error: {}", "syntax error near {}",
            ]
        ) { sight in
            (
                "\(sight.service.name) cannot be read by its interpreter: \(sight.first).",
                sight.facts.repair(sight.service.name, "mend the source")
            )
        },
        Rule(
            "bad_configuration", "The program does not understand its configuration or its arguments.",
            says: [
                "*** FATAL CONFIG FILE ERROR", "unrecognized configuration parameter {}", "unrecognized arguments: {}",
                "unrecognized option {}", "unknown flag: {}", "flag provided but not defined: {}",
                "invalid option -- {}",
                "nginx: [emerg] {}", "bad option: {}", "Bad directive or wrong number of arguments",
                "configuration file \"{}\" contains errors", "ConfigParser.{}",
                "error: the following arguments are required: {}",
            ]
        ) { sight in
            let what = sight.first.isEmpty ? "" : ": \(sight.first)"
            return (
                "\(sight.service.name) refuses its configuration or arguments\(what).",
                sight.facts.edit(
                    sight.service.name, "command", "correct the command, its arguments, or the file that it reads")
            )
        },
        Rule(
            "missing_secret_value", "A secret's variable is there and empty or refused as malformed.",
            says: ["{} is empty", "{} must not be empty", "{} cannot be empty"]
        ) { sight in
            let name = sight.first.split(separator: " ").last.map { $0.trimmed } ?? ""
            guard name.isVariableName else { return nil }
            return (
                "\(sight.service.name) finds its variable \(name) empty.",
                sight.facts.edit(sight.service.name, "env", "give \(name) a value in the Blueprint's env or secrets")
            )
        },
    ]

    /// The last word of a program that nothing else explains.
    static let exceptions: [Rule] = [
        Rule(
            "uncaught_exception", "The program ended with an error that it did not handle.",
            shownBy: "the last line of a Python, Node, Java, Go, Rust or Ruby stack trace", standing: .general
        ) { service, facts in
            guard let (line, place) = StackTrace.lastWord(of: service.output) else { return nil }
            return Draft(
                "\(service.name) ended with an error of its own: \(line.trimmed).",
                (place.map { [Evidence(.log, $0)] } ?? []) + [Evidence(.log, line), service.statusEvidence],
                facts.repair(
                    service.name, "mend the program at the place that the trace names",
                    command: "microstax env logs \(facts.name) --service \(service.name) --tail 50"),
                confidence: .likely)
        }
    ]
}
