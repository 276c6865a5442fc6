import API
import Foundation
import TestSupport
import Testing

/// Faults of environments that do not come up, of what stands around them, and of databases: each is really there.
@Suite struct DiagnosisOfCreationTests {
    private func service(_ name: String, _ more: String, command: String = "[/usr/bin/python3, -S, ward.py, healthy]")
        -> String
    {
        "name: \(name)\nservices:\n  - { name: \(name), command: \(command), ports: [\"8080\"], \(more) }\n"
    }

    @Test func everyFaultOfACreateIsNamed() async throws {
        try await Product.with { product in
            try Ward.copy(to: product)
            let probe = "probes: { readiness: { tcp: {}, periodSeconds: 0.2, failureThreshold: 3 } }"
            try await product.mustRun("env", "list")
            let health = try await Tool.run(
                "/usr/bin/env",
                ["curl", "-s", "--unix-socket", product.home + "/server.sock", "http://x/v1/health"])
            let taken = try JSONDecoder().decode(Reply<HealthView>.self, from: health.stdout).data.edgePort ?? 0
            let blueprints: [(code: String, text: String)] = [
                ("build_failed", service("build-failed", "build: [sh, -c, 'echo main.c:1: error: no; exit 2']")),
                (
                    "init_failed",
                    service("init-failed", "init: { type: command, command: [sh, -c, 'echo refused; exit 3'] }")
                ),
                ("not_ready_in_time", service("not-ready-in-time", probe, command: "[sleep, '60']")),
                (
                    "listens_elsewhere",
                    service(
                        "listens-elsewhere", probe,
                        command: "[sh, -c, 'echo Listening on http://localhost:3000; sleep 60']")
                ),
                ("user_unknown", service("user-unknown", "user: nobody-of-that-name")),
                (
                    "volume_missing",
                    service("volume-missing", "volumes: [{ name: data, type: host, mountPath: /nowhere/x }]")
                ),
                ("ended_by_policy", service("ended-by-policy", "restart: never", command: "[sh, -c, 'exit 3']")),
            ]
            let fixed =
                "name: port-taken\nservices:\n  - { name: port-taken, command: [sleep, '60'], ports: [{ name: http, "
                + "hostPort: \(taken) }] }\n"
            for (code, text) in blueprints + [(code: "port_taken", text: fixed)] {
                let path = try product.blueprint(text, named: code + ".yaml")
                try await product.mustRun("env", "create", "--file", path)
            }
            for code in blueprints.map(\.code) + ["port_taken"] {
                let name = code.replacing("_", with: "-")
                let found = try await product.findings(of: name, until: { $0.first?.code == code })
                #expect(found.first?.service == name)
            }
            // Whoever waits for a create that fails is told the cause.
            let failed = try await product.run("env", "wait", "build-failed")
            #expect(failed.exitCode == 1)
            #expect(failed.stderr.contains("its build exited with 2"))
            #expect(failed.stderr.contains("microstax env diagnose build-failed"))
            // What was mended goes on from where it failed.
            try FileManager.default.removeItem(atPath: product.folder + "/ward.py")
            let path = try product.blueprint(service("late", "restart: always"), named: "late.yaml")
            try await product.mustRun("env", "create", "--file", path)
            try await product.findings(
                of: "late",
                until: { $0.first?.code == "missing_file" && $0[0].suggestions.contains { $0.id == "retry" } })
            try Ward.copy(to: product)
            try await product.mustRun("env", "diagnose", "late", "--apply", "retry")
            let late = try await product.environment("late")
            #expect(late.state == "running")
        }
    }

    @Test func whatStandsAroundAnEnvironmentIsNamed() async throws {
        try await Product.with { product in
            try Ward.copy(to: product)
            let base = """
                name: base
                services:
                  - { name: api, command: [/usr/bin/python3, -S, ward.py, healthy], ports: ["8080"], expose: true }
                  - { name: back, command: [/usr/bin/python3, -S, ward.py, exits], ports: ["8080"] }
                """
            try await product.mustRun("baseline", "create", "--file", product.blueprint(base), "--wait")
            let change = "name: feat\nservices:\n  - { name: api, env: { CHANGED: yes } }\n"
            let overlay = try product.blueprint(change, named: "feat.yaml")

            // A request in the context of an overlay that does not exist.
            let url = try #require(try await product.environment("base").endpoints.first?.url)
            _ = try await Answer.get(url, ["x-msx-env": "nobody"])
            try await product.findings(of: "base", until: { $0.contains { $0.code == "unknown_context" } })
            let warned = try await product.run("env", "diagnose", "base")
            #expect(warned.exitCode == 0)

            // The supervisor is killed; another one takes over.
            for pid in product.supervisors() { kill(pid, SIGKILL) }
            try await product.findings(of: "base", until: { $0.contains { $0.code == "supervisor_replaced" } })
            try await product.mustRun("env", "wait", "base")

            // What the overlay stands on is stopped, and started again by a suggestion.
            try await product.mustRun("env", "stop", "base")
            try await product.mustRun(
                "overlay", "create", "--baseline", "base", "--file", overlay, "--wait", "--allow", "unhealthy-parent")
            try await product.findings(of: "feat", until: { $0.first?.code == "parent_stopped" })
            try await product.mustRun("env", "diagnose", "feat", "--apply", "resume-base")

            // What the overlay inherits is down where it runs.
            try Data().write(to: URL(filePath: product.folder + "/broken"))
            try Ward.end("exits", in: product.folder)
            try await product.findings(
                of: "feat", until: { $0.contains { $0.code == "provider_down" && $0.service == "back" } })
        }
    }

    @Test func theGatewaysFaultsAreNamed() async throws {
        try await Product.with { product in
            try Ward.copy(to: product)
            let path = try product.blueprint(service("solo", "expose: true"))
            try await product.mustRun("env", "create", "--file", path, "--wait")
            let gateway = try product.gatewayPID()
            kill(gateway, SIGSTOP)
            defer { kill(gateway, SIGCONT) }
            try await product.findings(of: "solo", until: { $0.map(\.code) == ["gateway_down"] })
            kill(gateway, SIGCONT)

            // Somebody takes the address while the gateway is away.
            let url = try #require(try await product.environment("solo").endpoints.first?.url)
            let port = try #require(URL(string: url)?.port)
            let script = """
                import socket, sys, time
                listener = socket.socket()
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                open(sys.argv[2], "w").close()
                while True:
                    try:
                        listener.bind(("127.0.0.1", int(sys.argv[1]))); listener.listen(); break
                    except OSError:
                        time.sleep(0.002)
                open(sys.argv[2] + ".has-it", "w").close()
                time.sleep(600)
                """
            let lurks = product.folder + "/lurks"
            let thief = Process()
            thief.executableURL = URL(filePath: "/usr/bin/python3")
            thief.arguments = ["-S", try product.blueprint(script, named: "thief.py"), String(port), lurks]
            try thief.run()
            defer { kill(thief.processIdentifier, SIGKILL) }
            try await eventually("the thief's start") { access(lurks, F_OK) == 0 ? true : nil }
            // The next gateway may be faster than the thief.
            try await eventually("the theft", every: .milliseconds(500)) {
                if access(lurks + ".has-it", F_OK) == 0 { return true }
                kill(try product.gatewayPID(), SIGKILL)
                return nil as Bool?
            }
            let name = "pid \(thief.processIdentifier)"
            let found = try await product.findings(of: "solo") {
                $0.first?.code == "gateway_cannot_listen" && $0.first?.cause.contains(name) == true
            }
            #expect(!found.isEmpty)
        }
    }

    @Test func aStepWhoseOutcomeACrashHidIsNamed() async throws {
        try await Product.with { product in
            try Ward.copy(to: product)
            let begun = product.folder + "/begun"
            let path = try product.blueprint(
                service("solo", "init: { type: command, command: [sh, -c, 'touch \(begun); exec sleep 30'] }"))
            try await product.mustRun("env", "create", "--file", path)
            try await eventually("the initialiser's start") { access(begun, F_OK) == 0 ? true : nil }
            kill(try product.serverPID(), SIGKILL)
            let found = try await product.findings(of: "solo", until: { $0.first?.code == "outcome_unknown" })
            #expect(found.first?.suggestions.first?.command == "microstax env retry solo --allow repeat-unknown")
        }
    }

    @Test func theFaultsOfDatabasesAreNamed() async throws {
        try await Product.with { product in
            let path = try product.blueprint(Clinic.blueprint(product.folder), named: "clinic.yaml")
            try Clinic.writeHealthy(product.folder)
            try await product.mustRun("env", "create", "--file", path, "--wait")
            let id = try await product.environment("clinic").id
            try Clinic.breakEverything(product.folder, data: product.home + "/environments/\(id)/volumes/db/data/main")
            let expected = Clinic.expected
            let found = try await product.findings(
                of: "clinic",
                until: { found in
                    expected.allSatisfy { name in
                        found.contains { $0.service == name && $0.code == name.replacing("-", with: "_") }
                    }
                })
            #expect(found.filter { $0.severity == "error" }.count == expected.count)
        }
    }
}

extension Product {
    /// The findings of an environment as soon as they are as wished.
    @discardableResult
    func findings(of name: String, until isWished: ([FindingView]) -> Bool) async throws -> [FindingView] {
        var last = ""
        return try await eventually(
            "the diagnosis of \(name)", within: .seconds(30), every: .milliseconds(100), lastSeen: { last }
        ) {
            let outcome = try await run("env", "diagnose", name, "-o", "json")
            guard outcome.exitCode == 0 || outcome.exitCode == 2 else { throw NeverHappened(description: "\(outcome)") }
            let found = try JSONDecoder().decode(DiagnosisView.self, from: Data(outcome.stdout.utf8)).findings
            last = found.map { "\($0.service ?? "-") \($0.code): \($0.cause)" }.joined(separator: "\n")
            return isWished(found) ? found : nil
        }
    }
}

/// A real PostgreSQL, and clients that go wrong with it when their scripts are exchanged.
private enum Clinic {
    static var expected: [String] {
        ["database-password-refused", "database-missing", "table-missing", "lock-file-left", "bad-configuration"]
            + (geteuid() == 0 ? ["database-refuses-root"] : [])
    }

    private static let programs = "for bin in /usr/lib/postgresql/*/bin; do PATH=\"$bin:$PATH\"; done\n"

    static func blueprint(_ folder: String) -> String {
        let clients = [
            "database-password-refused", "database-missing", "table-missing", "bad-configuration",
            "database-refuses-root",
        ]
        let users = ["lock-file-left": ", user: postgres"]
        let services = (clients + ["lock-file-left"]).map { name in
            "  - { name: \(name), command: [sh, \(folder)/\(name).sh], workdir: /, restart: always\(users[name] ?? ""), "
                + "env: { DB_PORT: \"${services.db.port}\", PGCONNECT_TIMEOUT: \"5\" } }"
        }
        return """
            name: clinic
            services:
              - name: db
                user: postgres
                workdir: /
                command: [sh, -euc]
                args:
                  - |
                    for bin in /usr/lib/postgresql/*/bin; do PATH="$bin:$PATH"; done
                    if [ ! -d "$VOLUME_DATA/main" ]; then
                      echo secret > "$VOLUME_DATA/password"
                      initdb -D "$VOLUME_DATA/main" -U postgres --pwfile "$VOLUME_DATA/password" -A scram-sha-256 --no-sync >/dev/null
                    fi
                    exec postgres -D "$VOLUME_DATA/main" -p "$PORT" -h 127.0.0.1 -c unix_socket_directories= -c fsync=off
                ports: [{ name: postgres, protocol: tcp }]
                volumes: [{ name: data, mountPath: /data }]
                probes: { startup: { log: { pattern: ready to accept connections } } }
                stopSignal: SIGINT
            \(services.joined(separator: "\n"))
            """
    }

    static func writeHealthy(_ folder: String) throws {
        for name in expected {
            try write("while [ ! -e \(folder)/broken ]; do sleep 0.2; done; exit 9\n", name, folder)
        }
        // Not everywhere can every fault be had.
        if geteuid() != 0 { try write("exec sleep 600\n", "database-refuses-root", folder) }
    }

    /// - Parameter data: the database's own folder.
    static func breakEverything(_ folder: String, data: String) throws {
        func psql(_ password: String, _ database: String, _ query: String) -> String {
            "PGPASSWORD=\(password) exec psql -h 127.0.0.1 -p $DB_PORT -U postgres -d \(database) -v ON_ERROR_STOP=1 -c '\(query)'\n"
        }
        try write(psql("wrong", "postgres", "select 1"), "database-password-refused", folder)
        try write(psql("secret", "orders", "select 1"), "database-missing", folder)
        try write(psql("secret", "postgres", "select * from orders"), "table-missing", folder)
        try write("exec redis-server --port 0 --nothing-of-that-name yes\n", "bad-configuration", folder)
        try write(programs + "exec postgres -D \(data) -p 1 -c unix_socket_directories=\n", "lock-file-left", folder)
        if geteuid() == 0 { try write(programs + "exec postgres -D \(data)\n", "database-refuses-root", folder) }
        try Data().write(to: URL(filePath: folder + "/broken"))
    }

    private static func write(_ script: String, _ name: String, _ folder: String) throws {
        let path = "\(folder)/\(name).sh"
        try Data(script.utf8).write(to: URL(filePath: path), options: .atomic)
        chmod(path, 0o755)
    }
}
