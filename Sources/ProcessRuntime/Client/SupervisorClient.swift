import HTTPTransport
import Runtimes

/// Calls one supervisor over its control socket.
struct SupervisorClient: Sendable {
    let record: SupervisorRecord

    private var client: HTTPClient { HTTPClient(.unix(path: record.socket), connectTimeout: .seconds(5)) }

    func statuses() async throws -> [WorkloadStatus] {
        try await call("GET", "/statuses", body: [], as: [WorkloadStatus].self, timeout: .seconds(30))
    }

    func metrics(withRates: Bool) async throws -> [WorkloadMetrics] {
        try await call(
            "GET", "/metrics?rates=\(withRates)", body: [], as: [WorkloadMetrics].self, timeout: .seconds(10))
    }

    func irregularities() async throws -> [Irregularity] {
        try await call("GET", "/irregularities", body: [], as: [Irregularity].self, timeout: .seconds(30))
    }

    func rewrite() async throws { try await post("/rewrite", "", timeout: .seconds(30)) }

    func apply(_ workload: Workload) async throws {
        try await post("/apply", workload, timeout: .seconds(60))
    }

    func stop(_ service: String, timeout: Duration) async throws {
        try await post("/stop", service, timeout: timeout)
    }

    func run(_ command: RuntimeCommand, in service: String) async throws -> RuntimeCommandResult {
        let request = SupervisorControl.RunRequest(service: service, command: command)
        return try await call(
            "POST", "/run", body: ControlCoding.encode(request), as: RuntimeCommandResult.self,
            timeout: .milliseconds(Milliseconds.of(seconds: command.timeoutSeconds) + 15_000))
    }

    /// Returns when the command runs.
    func exec(_ command: ExecCommand, in service: String) async throws -> RemoteExec {
        let request = HTTPRequest("GET", "/exec?service=" + HTTPQuery.percentEncode(service))
        switch try await client.webSocket(request, subprotocol: ExecMessage.subprotocol) {
        case .refused(let response):
            guard response.status != 503 else { throw Self.ending }
            throw try ControlCoding.decode(RuntimeError.self, response.body)
        case .open(let socket):
            let terminal = command.terminal.map { ExecTerminalSize(columns: $0.columns, rows: $0.rows) }
            let start = ExecStart(command: command.command, env: command.extraEnv, terminal: terminal)
            do {
                return RemoteExec(connection: try await ExecConnection(socket, start))
            } catch let failure as ExecFailure {
                throw RuntimeError(failure)
            }
        }
    }

    private static let ending = HTTPClientError(code: .connectRefused, message: "the supervisor is ending")

    /// Stops everything and ends the supervisor.
    func end(timeout: Duration) async throws { try await post("/end", "", timeout: timeout) }

    /// One element per line of the answer.
    func changes(_ element: ([WorkloadStatus]) -> Void) async throws {
        let response = try await client.stream(HTTPRequest("GET", "/changes"))
        guard response.status == 200 else { throw RuntimeError(.unavailable, "the supervisor gives no changes") }
        var partial: [UInt8] = []
        for try await chunk in response.body {
            partial += chunk
            while let end = partial.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(partial[..<end])
                partial.removeFirst(end + 1)
                if !line.isEmpty { element(try ControlCoding.decode([WorkloadStatus].self, line)) }
            }
        }
    }

    private func post(_ target: String, _ body: some Encodable, timeout: Duration) async throws {
        _ = try await call(
            "POST", target, body: ControlCoding.encode(body), as: SupervisorControl.Done.self, timeout: timeout)
    }

    private func call<T: Decodable>(
        _ method: String, _ target: String, body: [UInt8], as type: T.Type, timeout: Duration
    ) async throws -> T {
        let response = try await client.send(HTTPRequest(method, target, body: body), timeout: timeout)
        guard response.status != 503 else {
            throw Self.ending
        }
        guard response.status == 200 else { throw try ControlCoding.decode(RuntimeError.self, response.body) }
        return try ControlCoding.decode(type, response.body)
    }
}
