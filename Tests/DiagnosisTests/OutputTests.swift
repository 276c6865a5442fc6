import Testing

@testable import Diagnosis

/// What programs say when they fail, word for word, and which rule recognises it.
@Suite struct OutputTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let code: String
        let lines: [String]
        var exit: Int32 = 1
        var env: [String: String] = [:]
        var cause = ""
        var testDescription: String { "\(code): \(lines.last ?? "")" }

        init(_ code: String, _ lines: String..., exit: Int32 = 1, env: [String: String] = [:], cause: String = "") {
            self.code = code
            self.lines = lines
            self.exit = exit
            self.env = env
            self.cause = cause
        }
    }

    static let cases: [Case] = [
        Case("missing_module", "ModuleNotFoundError: No module named 'stripe'", cause: "stripe"),
        Case("missing_module", "Error: Cannot find module 'express'", cause: "express"),
        Case(
            "missing_module", "Exception in thread \"main\" java.lang.NoClassDefFoundError: org/slf4j/Logger",
            cause: "slf4j"),
        Case(
            "missing_library",
            "./api: error while loading shared libraries: libssl.so.1.1: cannot open shared object file: No such file or directory",
            exit: 127, cause: "libssl.so.1.1"),
        Case("program_missing", "sh: 1: gunicorn: not found", exit: 127, cause: "gunicorn"),
        Case("program_missing", "bash: line 1: uvicorn: command not found", exit: 127, cause: "uvicorn"),
        Case("program_not_executable", "sh: 1: ./start.sh: Permission denied", exit: 126, cause: "./start.sh"),
        Case("wrong_architecture", "sh: 1: ./api: Exec format error", exit: 126),
        Case("missing_variable", "KeyError: 'DATABASE_URL'", cause: "DATABASE_URL"),
        Case("missing_variable", "start.sh: line 3: API_TOKEN: unbound variable", cause: "API_TOKEN"),
        Case("missing_variable", "panic: environment variable STRIPE_KEY is not set", exit: 2, cause: "STRIPE_KEY"),
        Case("missing_variable", "Error: required key SHOP_PORT missing value", cause: "SHOP_PORT"),
        Case(
            "missing_file", "Error: ENOENT: no such file or directory, open '/etc/shop.json'", cause: "/etc/shop.json"),
        Case("missing_file", "Error: Unable to access jarfile app.jar", cause: "app.jar"),
        Case("syntax_error", "  File \"app.py\", line 3", "SyntaxError: '(' was never closed", cause: "never closed"),
        Case("bad_configuration", "nginx: [emerg] unknown directive \"servr\" in /etc/nginx.conf:1"),
        Case("bad_configuration", "*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***"),
        Case(
            "bad_configuration", "FATAL:  unrecognized configuration parameter \"shared_bufers\"",
            cause: "shared_bufers"),
        Case("fixed_port_taken", "Error: listen EADDRINUSE: address already in use :::3000", cause: "21004"),
        Case("fixed_port_taken", "OSError: [Errno 98] Address already in use"),
        Case("disk_full", "PANIC:  could not write to file \"pg_wal/xlogtemp.29\": No space left on device"),
        Case("too_many_open_files", "accept4: too many open files"),
        Case(
            "out_of_memory", "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
            exit: 134),
        Case("out_of_memory", "java.lang.OutOfMemoryError: Java heap space"),
        Case("too_many_processes", "RuntimeError: can't start new thread"),
        Case(
            "permission_denied", "PermissionError: [Errno 13] Permission denied: '/var/lib/shop'",
            cause: "/var/lib/shop"),
        Case("read_only_files", "OSError: [Errno 30] Read-only file system: '/usr/x'"),
        Case("privileged_port", "nginx: bind() to 0.0.0.0:80 failed (13: Permission denied)", cause: "port 80"),
        Case("database_refuses_root", "\"root\" execution of the PostgreSQL server is not permitted."),
        Case(
            "lock_file_left", "FATAL:  lock file \"postmaster.pid\" already exists",
            "HINT:  Is another postmaster (PID 123) running in data directory \"/v\"?", cause: "pid 123"),
        Case("data_of_other_version", "FATAL:  database files are incompatible with server"),
        Case("data_damaged", "PANIC:  could not locate a valid checkpoint record"),
        Case(
            "database_refuses_writes",
            "redis.exceptions.ResponseError: MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk."
        ),
        Case(
            "database_password_refused", "FATAL:  password authentication failed for user \"shop\"", cause: "user shop"),
        Case("database_password_refused", "(error) NOAUTH Authentication required."),
        Case("database_missing", "FATAL:  database \"orders\" does not exist", cause: "orders"),
        Case("database_role_missing", "FATAL:  role \"app\" does not exist", cause: "app"),
        Case("table_missing", "psycopg2.errors.UndefinedTable: relation \"orders\" does not exist", cause: "orders"),
        Case("table_missing", "sqlite3.OperationalError: no such table: carts", cause: "carts"),
        Case("database_busy", "FATAL:  sorry, too many clients already"),
        Case(
            "literal_address",
            "psycopg2.OperationalError: connection to server at \"localhost\" (127.0.0.1), port 5432 failed: Connection refused",
            env: ["DATABASE_URL": "postgres://localhost:5432/x"], cause: "DATABASE_URL"),
        Case("connection_refused", "Error: connect ECONNREFUSED 127.0.0.1:9", cause: "127.0.0.1:9"),
        Case("host_unknown", "Error: getaddrinfo ENOTFOUND queue.internal", cause: "queue.internal"),
        Case("service_name_as_host", "Error: getaddrinfo ENOTFOUND api", cause: "${services.api"),
        Case("certificate_refused", "x509: certificate signed by unknown authority"),
        Case("segmentation_fault", exit: 139),
        Case("killed", exit: 137),
        Case("aborted", "assertion failed", exit: 134),
        Case("ends_at_once", "daemonised", exit: 0),
        Case("exits", "the quota is used up", exit: 4, cause: "the quota is used up"),
        Case("exits", exit: 3, cause: "without a word"),
        Case(
            "uncaught_exception", "Traceback (most recent call last):", "  File \"a.py\", line 1, in <module>",
            "ValueError: 3", cause: "ValueError: 3"),
        Case(
            "uncaught_exception", "TypeError: x is not a function", "    at Object.<anonymous> (/app/a.js:1:1)",
            cause: "x is not a function"),
        Case(
            "uncaught_exception", "Exception in thread \"main\" java.lang.IllegalStateException: no",
            "\tat shop.Main.main(Main.java:3)", cause: "IllegalStateException: no"),
        Case(
            "uncaught_exception", "panic: runtime error: index out of range [3]", "", "goroutine 1 [running]:", exit: 2,
            cause: "index out of range"),
        Case(
            "uncaught_exception", "thread 'main' panicked at src/main.rs:2:5:", "the shop is closed",
            "note: run with `RUST_BACKTRACE=1`", exit: 101, cause: "the shop is closed"),
    ]

    @Test(arguments: cases)
    func aLineIsRecognised(_ item: Case) throws {
        let findings = Recorded.findings(Recorded.ended("api", code: item.exit, item.lines, env: item.env))
        let finding = try #require(findings.first)
        #expect(findings.count == 1)
        #expect(finding.code == item.code, "\(finding.cause)")
        let said = finding.cause + finding.suggestions.map(\.title).joined()
        #expect(said.contains(item.cause), "\(said)")
        #expect(!finding.evidence.isEmpty)
        #expect(!finding.suggestions.isEmpty)
        if let last = item.lines.last(where: { !$0.isEmpty && !$0.hasPrefix("note") && !$0.hasPrefix("gor") }) {
            #expect(finding.evidence.contains { item.lines.contains($0.line) }, "\(last)")
        }
    }

    @Test func aHealthyServiceThatLogsErrorsIsNoFinding() {
        let lines = Self.cases.flatMap(\.lines)
        #expect(Recorded.findings(Recorded.ready("api", lines)).isEmpty)
    }

    @Test func whatAnEarlierRunSaidIsNotTheReason() {
        var service = Recorded.ended("api", code: 4, ["no quota"])
        let old = ["ModuleNotFoundError: No module named 'stripe'"].map { OutputLine(text: $0) }
        let ends = [1, 2].map { OutputLine(isEvent: true, text: "exited with \($0)") }
        service.log = old + [ends[0]] + [OutputLine(text: "something")] + [ends[1]] + service.log
        #expect(Recorded.findings(service).map(\.code) == ["exits"])
    }

    @Test func whatNothingExplainsSaysWhatWasLookedAt() throws {
        var service = Recorded.ready("api", ["all is fine"])
        service.state = .unhealthy
        let finding = try #require(Recorded.findings(service).first)
        #expect(finding.code == "unexplained")
        #expect(finding.confidence == .guess)
        #expect(finding.cause.contains("1 log line"))
    }

    @Test func aLongLineIsCut() throws {
        let line = "MemoryError " + String(repeating: "x", count: 5000)
        let finding = try #require(Recorded.findings(Recorded.ended("api", [line])).first)
        let longest = finding.evidence.map(\.line.count).max() ?? 0
        #expect(longest <= 502)
    }
}
