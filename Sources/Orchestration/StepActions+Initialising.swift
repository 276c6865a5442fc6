import Blueprints
import EnvironmentGraph
import HTTPTransport
import Runtimes
import Storage

extension StepActions {
    /// The n-th initialiser of a service that is ready.
    func initialise(
        _ name: String, _ index: Int, _ id: EnvironmentID, _ fence: Fence, report: @Sendable (String) async -> Void
    ) async throws {
        let record = try await environment(id)
        let service = try service(name, in: record)
        guard service.initialisers.indices.contains(index), index >= record.initialisersDone(of: name) else { return }
        // It was ready when this was its turn; since then its supervisor may have been killed, or this is another attempt.
        try await untilReady(name, id, report: report)
        switch service.initialisers[index] {
        case .sql(let sql):
            try await runSQL(sql, index, service, record)
            try await note(index, name, id, fence)
        case .command(let command):
            try await onlyOnce { try await runCommand(command, service, record) }
            try await onlyOnce { try await note(index, name, id, fence) }
        case .http(let request):
            try await onlyOnce { try await runRequest(request, service, record) }
            try await onlyOnce { try await note(index, name, id, fence) }
        }
    }

    /// What may not be repeated: a failure after which the effect may have happened is one whose outcome is unknown, and
    /// never one that passes by itself.
    private func onlyOnce(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let failure as StepFailure {
            throw failure
        } catch let error as RuntimeError where error.code == .notFound || error.code == .invalidWorkload {
            throw error
        } catch let error as HTTPClientError where error.code == .connectRefused || error.code == .notFound {
            throw error
        } catch let error where error is CancellationError || error is FenceBroken {
            throw error
        } catch {
            throw StepFailure("\(error); whether it took effect is unknown", outcomeUnknown: true)
        }
    }

    /// Notes that an initialiser has run, so that no later execution runs it again; tried several times, because what has
    /// happened cannot be taken back.
    private func note(_ index: Int, _ name: String, _ id: EnvironmentID, _ fence: Fence) async throws {
        var pause = Duration.milliseconds(100)
        while true {
            do {
                return try await store.write { store in
                    try fence.check(store)
                    guard var record = try store.environment(id) else { return }
                    record.initialiserIsDone(index, of: name)
                    try store.save(record)
                }
            } catch is StoreError where pause < .seconds(5) {
                try await outside.sleep(pause)
                pause *= 2
            }
        }
    }

    // MARK: SQL

    /// Runs a script through `psql`, so that everything that dumps use (`COPY … FROM stdin`, `\set`) works.
    ///
    /// The ledger row and the script are one transaction: whatever is interrupted, the script has taken effect once or
    /// not at all.
    private func runSQL(
        _ sql: SQLInitSpec, _ index: Int, _ service: ServiceSpec, _ record: EnvironmentRecord
    ) async throws {
        let script = try await secrets.file(sql.script, of: record.id, revision: record.revision)
        guard let script else {
            throw StepFailure("the script \(sql.script) was not sent with the Blueprint")
        }
        let connection = try await connection(sql, service, record)
        let key = Self.quoted("\(index):\(sql.script.split(separator: "/").last ?? "")")
        let prepare = """
            CREATE SCHEMA IF NOT EXISTS microstax;
            CREATE TABLE IF NOT EXISTS microstax.init (key text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
            """
        let known = try await psql(
            connection, service, record,
            ["-At", "-c", prepare, "-c", "SELECT count(*) FROM microstax.init WHERE key = \(key)"], input: "")
        // 2: the connection went bad, which a database that is just coming up does (psql, EXIT STATUS).
        guard known.exitCode == 0 else {
            throw StepFailure(Self.sqlError(known, script: sql.script), isTransient: known.exitCode == 2)
        }
        if known.output.split(separator: "\n").last == "1" { return }
        let ran = try await psql(
            connection, service, record,
            ["--single-transaction", "-c", "INSERT INTO microstax.init (key) VALUES (\(key))", "-f", "-"], input: script
        )
        // Should the connection have gone after the commit, the ledger tells the next attempt.
        guard ran.exitCode == 0 else {
            throw StepFailure(Self.sqlError(ran, script: sql.script), isTransient: ran.exitCode == 2)
        }
    }

    private struct SQLConnection {
        var port: Int
        var user: String
        var password: String?
        var database: String
    }

    /// What the initialiser says, else the service's own environment (`POSTGRES_*`), else PostgreSQL's defaults.
    private func connection(
        _ sql: SQLInitSpec, _ service: ServiceSpec, _ record: EnvironmentRecord
    ) async throws -> SQLConnection {
        let rendering = try await rendering(of: record)
        let workload = try rendering.workload(service)
        func own(_ key: String) -> String? { workload.secretEnv[key] ?? workload.env[key] }
        guard let port = rendering.ownPort(service) else {
            throw StepFailure("\(service.name) has no port that a script could be sent to")
        }
        let user = sql.user ?? own("POSTGRES_USER") ?? "postgres"
        let password = try sql.password.map { try rendering.render(Template(parsing: $0), for: service) }
        return SQLConnection(
            port: port, user: user, password: password ?? own("POSTGRES_PASSWORD"),
            database: sql.database ?? own("POSTGRES_DB") ?? user)
    }

    private func psql(
        _ connection: SQLConnection, _ service: ServiceSpec, _ record: EnvironmentRecord, _ arguments: [String],
        input: String
    ) async throws -> RuntimeCommandResult {
        var env = ["PGCONNECT_TIMEOUT": "10", "PGOPTIONS": "-c client_min_messages=warning"]
        env["PGPASSWORD"] = connection.password
        let command =
            [
                "psql", "-X", "-q", "--no-password", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
                "\(connection.port)", "-U", connection.user, "-d", connection.database,
            ] + arguments
        return try await runtime.run(
            RuntimeCommand(command, input: input, extraEnv: env), in: service.name, of: record.id)
    }

    /// `psql:<stdin>:3: ERROR: …` with the script's own name for `<stdin>`.
    private static func sqlError(_ result: RuntimeCommandResult, script: String) -> String {
        if result.timedOut { return "\(script): not done within the limit" }
        if result.exitCode == 127 { return "psql is not installed; `microstax doctor` says how to get it" }
        let lines = result.output.split(separator: "\n").map {
            $0.replacing("psql:<stdin>:", with: "\(script):").replacing("psql: error: ", with: "")
        }
        return lines.suffix(8).joined(separator: "\n")
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: "''") + "'"
    }

    // MARK: Commands and requests

    private func runCommand(_ command: [String], _ service: ServiceSpec, _ record: EnvironmentRecord) async throws {
        let result = try await runtime.run(RuntimeCommand(command), in: service.name, of: record.id)
        guard result.exitCode == 0 else {
            let last = result.output.split(separator: "\n").suffix(10).map { "  " + $0 }
            let reason = result.timedOut ? "not done within the limit" : "exited with \(result.exitCode)"
            throw StepFailure((["\(command.joined(separator: " ")): \(reason)"] + last).joined(separator: "\n"))
        }
    }

    private func runRequest(_ request: HTTPInitSpec, _ service: ServiceSpec, _ record: EnvironmentRecord) async throws {
        let rendering = try await rendering(of: record)
        guard let port = rendering.ownPort(service, named: request.port) else {
            throw StepFailure("\(service.name) has no port \(request.port ?? "") that a request could be sent to")
        }
        var fields = HTTPFields(request.headers.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) })
        if fields["host"] == nil { fields["host"] = "127.0.0.1:\(port)" }
        let message = HTTPRequest(
            request.method, request.path, fields: fields, body: Array((request.body ?? "").utf8))
        let response = try await HTTPClient(.tcp(host: "127.0.0.1", port: port)).send(message, timeout: .seconds(60))
        guard (200..<400).contains(response.status) else {
            let text = String(decoding: response.body.prefix(500), as: UTF8.self)
            throw StepFailure("\(request.method) \(request.path) answered \(response.status): \(text)")
        }
    }
}
