import Blueprints
import EnvironmentGraph

/// What databases say of themselves, and of those who use them.
extension Rule {
    static let databases: [Rule] = [
        Rule(
            "database_refuses_root", "A database server refuses to run as root.",
            says: [
                "\"root\" execution of the PostgreSQL server is not permitted", "initdb: error: cannot be run as root",
                "Please read \"Security\" section of the manual to find out how to run mysqld as root",
            ]
        ) { sight in
            (
                "\(sight.service.name) is a database that refuses to run as root.",
                sight.facts.edit(
                    sight.service.name, "command",
                    "add `user: postgres` (or another user that is not root) to the service")
            )
        },
        Rule(
            "lock_file_left", "A lock file says that another server uses the same data.",
            says: [
                "lock file \"{}\" already exists", "Is another postmaster (PID {}) running",
                "Unable to lock {}, error: 11", "another server might be running", "Lock file {} already exists",
                "pid file {} already exists", "database is locked",
            ]
        ) { sight in
            let pids = sight.service.output.compactMap { LinePattern("(PID {})").captures(in: $0)?.first }
            let pid = pids.last
            let who = pid.map { "; the lock names pid \($0)" } ?? ""
            return (
                "\(sight.service.name) finds a lock on its data: another server uses it, or one ended without removing it\(who).",
                sight.facts.repair(
                    sight.service.name,
                    "see whether that process is a server of the same data; end it, or remove the lock file if it is not",
                    command: pid.map { "ps -o pid,user,cmd -p \($0)" })
            )
        },
        Rule(
            "data_of_other_version", "The data was written by another version of the database.",
            says: [
                "database files are incompatible with server",
                "The data directory was initialized by PostgreSQL version {}",
                "Can't handle RDB format version {}", "Unsupported redo log format",
            ]
        ) { sight in
            (
                "\(sight.service.name) cannot read its data, which another version of it wrote.",
                sight.facts.repair(
                    sight.service.name, "run the version that wrote the data, or migrate it",
                    command: "microstax env logs \(sight.facts.name) --service \(sight.service.name) --tail 20")
            )
        },
        Rule(
            "data_damaged", "The database's files are damaged.",
            says: [
                "could not locate a valid checkpoint record", "PANIC: {}",
                "Bad file format reading the append only file",
                "Short read or OOM loading DB", "invalid page in block", "database disk image is malformed",
                "Wrong signature trying to load DB",
            ]
        ) { sight in
            (
                "\(sight.service.name) finds its own data damaged.",
                sight.facts.repair(
                    sight.service.name,
                    "restore the data, or begin with none: delete the environment and create it again",
                    command: "microstax env logs \(sight.facts.name) --service \(sight.service.name) --tail 20")
            )
        },
        Rule(
            "database_refuses_writes", "The database takes no writes.",
            says: [
                "MISCONF Redis is configured to save", "READONLY You can't write against a read only replica",
                "cannot execute {} in a read-only transaction",
            ]
        ) { sight in
            (
                "\(sight.service.name) is refused by its database, which takes no writes now.",
                sight.facts.repair(
                    sight.service.name, "see why the database cannot save; mostly its disk",
                    command: "df -h \(sight.facts.machine.stateFolder)")
            )
        },
        Rule(
            "database_password_refused", "A database refuses the user or the password.",
            says: [
                "password authentication failed for user {}", "Access denied for user {}", "WRONGPASS",
                "NOAUTH Authentication required", "fe_sendauth: no password supplied", "AuthenticationError: {}",
                "Authentication failed",
            ]
        ) { sight in
            let user = sight.first.word(upTo: [" ", "\"", "@"])
            return (
                "\(sight.service.name) is refused by its database: wrong user or password\(user.isEmpty ? "" : " (user \(user))").",
                sight.facts.edit(
                    sight.service.name, "env",
                    "give both the same secret: `${secrets.<name>}` in the user's variable, `secrets` in the database")
            )
        },
        Rule(
            "database_missing", "A database of that name does not exist in the server.",
            says: ["database \"{}\" does not exist", "Unknown database {}", "ERR DB index is out of range"]
        ) { sight in
            (
                "\(sight.service.name) uses the database \(sight.first.word()), which does not exist.",
                sight.facts.edit(
                    sight.service.name, "env",
                    "name one that exists, or create it with `init` of the database's service")
            )
        },
        Rule(
            "database_role_missing", "A database user of that name does not exist.",
            says: ["role \"{}\" does not exist"]
        ) { sight in
            (
                "\(sight.service.name) uses the database user \(sight.first.word()), which does not exist.",
                sight.facts.edit(
                    sight.service.name, "env",
                    "name one that exists, or create it with `init` of the database's service")
            )
        },
        Rule(
            "table_missing", "A table that the service uses does not exist.",
            says: [
                "relation \"{}\" does not exist", "no such table: {}", "Table '{}' doesn't exist",
                "ER_NO_SUCH_TABLE: {}",
            ]
        ) { sight in
            (
                "\(sight.service.name) uses the table \(sight.first.word()), which does not exist: a script or migration did not run.",
                sight.facts.edit(
                    sight.service.name, "dependsOn",
                    "add an `init` script to the database that creates it, and wait for it with dependsOn")
            )
        },
        Rule(
            "database_busy", "The database has as many connections as it takes.",
            says: [
                "too many clients already", "remaining connection slots are reserved", "Too many connections",
                "max number of clients reached",
            ]
        ) { sight in
            (
                "\(sight.service.name) gets no connection: its database has as many as it takes.",
                sight.facts.repair(
                    sight.service.name,
                    "make pools smaller, or raise the database's limit (`max_connections`, `maxclients`)")
            )
        },
        Rule(
            "database_starting", "The database is still starting or recovering.",
            says: [
                "the database system is starting up", "the database system is shutting down",
                "LOADING Redis is loading",
            ],
            standing: .general, confidence: .likely
        ) { sight in
            (
                "\(sight.service.name) came before its database was ready.",
                sight.facts.edit(
                    sight.service.name, "dependsOn",
                    "refer to the database as `${services.<name>.address}`, so that its readiness is waited for"
                )
                .dropLast() + [sight.facts.goOn(sight.service.name)]
            )
        },
    ]
}
