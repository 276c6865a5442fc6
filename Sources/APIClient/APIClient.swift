import API
import FoundationEssentials
import HTTPTransport

/// The client's side of the control plane's API: one typed method per operation of the catalogue.
///
/// Where a server is, and starting the local one, is ``ServerLocation``'s and ``LocalServer``'s business; this type is
/// given an address and talks. A reply that refuses becomes an ``APIFailure``, everything else that goes wrong on the way a
/// ``ConnectionFailure``; nothing is repeated here, because only the caller knows whether a repetition is harmless.
package struct APIClient: Sendable {
    /// Longest reply that is read.
    package static let maxReplyBytes = 64 << 20
    /// Most pages of a list that are followed; a page has the server's largest size.
    static let maxPages = 200
    static let pageSize = 500

    package let address: HTTPAddress
    /// How long a reply may take that is no stream.
    package var timeout: Duration
    package var largestReply = Self.maxReplyBytes
    private let token: String?
    private let transport: HTTPClient

    /// - Parameter token: sent as bearer token; `nil` on the owner's Unix socket.
    package init(address: HTTPAddress, token: String? = nil, timeout: Duration = .seconds(30)) {
        self.address = address
        self.token = token
        self.timeout = timeout
        transport = HTTPClient(address)
    }

    /// The owner's own server, on the Unix socket of a state folder.
    package init(local folder: StateFolder, timeout: Duration = .seconds(30)) {
        self.init(address: .unix(path: folder.socketPath), timeout: timeout)
    }

    // MARK: Blueprints

    package func validateBlueprint(_ request: CreateRequest) async throws -> ValidationView {
        try await call(.validateBlueprint, body: request)
    }

    // MARK: Environments

    package func createEnvironment(_ request: CreateRequest) async throws -> AcceptedView {
        try await call(.createEnvironment, body: request)
    }

    /// All of them, page by page.
    ///
    /// - Parameter label: `key=value`.
    package func environments(mode: String? = nil, label: String? = nil) async throws -> [EnvironmentView] {
        try await environments(mode: mode, label: label, limit: nil).items
    }

    /// The first `limit` by name, and whether there are more.
    ///
    /// - Parameter brief: with a count of the services in their place.
    package func environments(
        mode: String? = nil, label: String? = nil, limit: Int?, brief: Bool = false
    ) async throws -> (items: [EnvironmentView], hasMore: Bool) {
        let query = [("mode", mode), ("label", label), ("brief", brief ? "true" : nil)]
        return try await list(.listEnvironments, query: query, limit: limit)
    }

    package func environment(_ idOrName: String) async throws -> EnvironmentView {
        try await call(.getEnvironment, idOrName)
    }

    /// The same, observed afresh.
    package func status(of idOrName: String) async throws -> EnvironmentView {
        try await call(.environmentStatus, idOrName)
    }

    package func patchEnvironment(_ idOrName: String, _ request: PatchRequest) async throws -> EnvironmentView {
        try await call(.patchEnvironment, idOrName, body: request)
    }

    package func deleteEnvironment(_ idOrName: String, dryRun: Bool = false) async throws -> ChangeView {
        try await call(.deleteEnvironment, idOrName, query: [("dryRun", dryRun ? "true" : nil)])
    }

    /// - Parameter operation: `stopEnvironment`, `resumeEnvironment` or `retryEnvironment`.
    package func change(
        _ idOrName: String, _ operation: Operation, _ request: ChangeRequest
    ) async throws -> ChangeView {
        try await call(operation, idOrName, body: request)
    }

    package func updateEnvironment(_ idOrName: String, _ request: CreateRequest) async throws -> ChangeView {
        try await call(.updateEnvironment, idOrName, body: request)
    }

    package func scaleEnvironment(_ idOrName: String, _ request: ScaleRequest) async throws -> ChangeView {
        try await call(.scaleEnvironment, idOrName, body: request)
    }

    package func resolutions(in idOrName: String) async throws -> [ResolutionView] {
        try await call(.environmentResolutions, idOrName)
    }

    package func plan(of idOrName: String, review: Bool = false) async throws -> PlanView {
        try await call(.environmentPlan, idOrName, query: [("review", review ? "true" : nil)])
    }

    package func graph(of idOrName: String) async throws -> GraphView {
        try await call(.environmentGraph, idOrName)
    }

    /// Where the value at `path` comes from; every value below it where `path` names a map or a list, or is empty.
    package func explain(_ path: String, in idOrName: String) async throws -> [ExplanationView] {
        try await call(.environmentExplain, idOrName, query: [("path", path.isEmpty ? nil : path)])
    }

    package func executions(of idOrName: String) async throws -> [ExecutionView] {
        try await list(.environmentExecutions, idOrName)
    }

    package func calls(in idOrName: String) async throws -> [CallView] {
        try await call(.environmentCalls, idOrName)
    }

    /// Newest first.
    ///
    /// - Parameters:
    ///   - since: milliseconds since 1970.
    ///   - status: `500`, `5xx` or `error`.
    package func traces(
        of idOrName: String, since: Int64? = nil, limit: Int? = nil, status: String? = nil, services: [String] = [],
        minDurationMilliseconds: Int64? = nil, onlyLeaks: Bool = false
    ) async throws -> [TraceView] {
        let query: [(String, String?)] = [
            ("since", since.map(String.init)), ("limit", limit.map(String.init)), ("status", status),
            ("service", services.isEmpty ? nil : services.joined(separator: ",")),
            ("minDurationMilliseconds", minDurationMilliseconds.map(String.init)),
            ("leaks", onlyLeaks ? "true" : nil),
        ]
        return try await call(.environmentTraces, idOrName, query: query)
    }

    /// One trace with its hops; the beginning of its id is enough.
    package func trace(_ id: String, of idOrName: String) async throws -> TraceView {
        try await call(.environmentTrace, idOrName, id)
    }

    /// What is wrong with it, why, and what mends it.
    package func diagnosis(of idOrName: String) async throws -> DiagnosisView {
        try await call(.environmentDiagnosis, idOrName)
    }

    /// What differed from what is wanted; of every environment, and orphans, where none is named.
    ///
    /// - Parameter state: only those that are `open`, `mended` or `gone`.
    package func deviations(of idOrName: String?, state: String? = nil) async throws -> [DeviationView] {
        guard let idOrName else { return try await call(.listDeviations, query: [("state", state)]) }
        return try await call(.environmentDeviations, idOrName, query: [("state", state)])
    }

    package func restartEnvironment(_ idOrName: String, _ request: RestartRequest) async throws -> ChangeView {
        try await call(.restartEnvironment, idOrName, body: request)
    }

    /// - Returns: what is being mended.
    package func repairEnvironment(_ idOrName: String) async throws -> [DeviationView] {
        try await call(.repairEnvironment, idOrName, body: ChangeRequest())
    }

    /// Returns when nothing is left of it.
    package func deleteOrphan(_ id: String) async throws -> DeviationView { try await call(.deleteOrphan, id) }

    /// What each service uses just now, and the requests to it.
    ///
    /// - Parameter services: empty means all.
    package func metrics(of idOrName: String, services: [String] = []) async throws -> MetricsView {
        let names = services.isEmpty ? nil : services.joined(separator: ",")
        return try await call(.environmentMetrics, idOrName, query: [("service", names)])
    }

    /// The state now and after every change. Ends when the environment is deleted or the server stops.
    package func events(of idOrName: String) async throws -> ReplyStream<EventView> {
        try await stream(.environmentEvents, idOrName, format: .serverSentEvents)
    }

    /// What happened to an environment, oldest first; also to one that is gone.
    ///
    /// - Parameters:
    ///   - after: only what has a greater sequence number.
    ///   - since: milliseconds since 1970.
    ///   - limit: only the newest of those that there are already.
    package func history(
        of idOrName: String, since: Int64? = nil, limit: Int? = nil
    ) async throws -> [HistoryView] {
        try await call(
            .environmentHistory, idOrName,
            query: [("since", since.map(String.init)), ("limit", limit.map(String.init))])
    }

    /// The same, and what comes; ends when the environment is gone.
    package func followedHistory(
        of idOrName: String, after: Int64? = nil, since: Int64? = nil, limit: Int? = nil
    ) async throws -> ReplyStream<HistoryView> {
        let query: [(String, String?)] = [
            ("follow", "true"), ("after", after.map(String.init)), ("since", since.map(String.init)),
            ("limit", limit.map(String.init)),
        ]
        return try await stream(.environmentHistory, idOrName, query: query, format: .jsonLines)
    }

    /// Log lines, oldest first.
    ///
    /// - Parameters:
    ///   - services: empty means all.
    ///   - since: milliseconds since 1970.
    ///   - tail: only so many of the lines that there are already.
    ///   - previous: only the run before the last one of each service.
    package func logs(
        of idOrName: String, services: [String] = [], follow: Bool = false, since: Int64? = nil, tail: Int? = nil,
        previous: Bool = false
    ) async throws -> ReplyStream<LogLineView> {
        let query: [(String, String?)] = [
            ("service", services.isEmpty ? nil : services.joined(separator: ",")),
            ("follow", follow ? "true" : nil), ("since", since.map(String.init)), ("tail", tail.map(String.init)),
            ("previous", previous ? "true" : nil),
        ]
        return try await stream(.environmentLogs, idOrName, query: query, format: .jsonLines)
    }

    /// Starts a command in a service and returns when it runs.
    ///
    /// - Parameter terminal: a pseudo-terminal of so many columns and rows; `nil` for pipes.
    /// - Throws: ``ProgramProblem`` where the program cannot be started.
    package func exec(
        _ command: [String], in service: String, of idOrName: String, env: [String: String] = [:],
        terminal: (columns: Int, rows: Int)? = nil
    ) async throws -> RemoteCommand {
        let request = try request(.environmentExec, idOrName, query: [("service", service)], body: nil)
        let start = ExecStart(
            command: command, env: env.isEmpty ? nil : env,
            terminal: terminal.map { ExecTerminalSize(clamping: $0.columns, $0.rows) })
        do {
            switch try await transport.webSocket(
                request, subprotocol: ExecMessage.subprotocol, headTimeout: timeout)
            {
            case .refused(let response): throw refusal(response.status, response.body)
            case .open(let socket):
                return RemoteCommand(try await ExecConnection(socket, start), address: address)
            }
        } catch let error as HTTPClientError {
            throw ConnectionFailure(error, address)
        } catch let failure as ExecFailure {
            throw RemoteCommand.problem(failure)
        }
    }

    // MARK: Baselines and overlays

    package func createBaseline(_ request: CreateRequest) async throws -> AcceptedView {
        try await call(.createBaseline, body: request)
    }

    package func baselines() async throws -> [EnvironmentView] { try await list(.listBaselines) }

    package func baseline(_ idOrName: String) async throws -> EnvironmentView { try await call(.getBaseline, idOrName) }

    package func createOverlay(_ request: CreateRequest, on parent: String) async throws -> AcceptedView {
        try await call(.createOverlay, parent, body: request)
    }

    package func overlays(on parent: String) async throws -> [EnvironmentView] { try await list(.listOverlays, parent) }

    // MARK: The rest

    package func execution(_ id: String) async throws -> ExecutionView { try await call(.getExecution, id) }

    package func health() async throws -> HealthView { try await call(.health) }

    /// - Throws: ``APIFailure`` `.unavailable` where a part is not ready; its details name each with the reason.
    package func ready() async throws -> ReadyView { try await call(.ready) }

    /// What is newer than the table of `cursor`; waits for it, for at most `wait` seconds. ``timeout`` has to be longer.
    ///
    /// - Returns: the graph's `TableNews`, which this module does not know.
    package func routingTable<News: Codable & Sendable>(
        after cursor: String?, wait seconds: Int
    ) async throws -> News {
        try await call(.routingTable, query: [("after", cursor), ("wait", String(seconds))])
    }
}

extension APIClient {
    func list<Item: Codable & Sendable>(
        _ operation: Operation, _ parameter: String? = nil, query: [(String, String?)] = []
    ) async throws -> [Item] {
        try await list(operation, parameter, query: query, limit: nil).items
    }

    private func list<Item: Codable & Sendable>(
        _ operation: Operation, _ parameter: String? = nil, query: [(String, String?)], limit: Int?
    ) async throws -> (items: [Item], hasMore: Bool) {
        var items: [Item] = []
        var cursor: String?
        for _ in 0..<Self.maxPages {
            let size = min(Self.pageSize, (limit ?? .max) - items.count)
            let page: Reply<[Item]> = try await reply(
                operation, parameter, query: query + [("limit", String(size)), ("cursor", cursor)])
            items += page.data
            cursor = page.meta.next
            if cursor == nil || items.count >= limit ?? .max { return (items, cursor != nil) }
        }
        throw ConnectionFailure(.malformed, address, "the list did not end after \(Self.maxPages) pages")
    }

    func call<Body: Codable & Sendable>(
        _ operation: Operation, _ parameter: String? = nil, _ second: String? = nil, query: [(String, String?)] = [],
        body: (any Encodable)? = nil
    ) async throws -> Body {
        try await reply(operation, parameter, second, query: query, body: body).data
    }

    private func reply<Body: Codable & Sendable>(
        _ operation: Operation, _ parameter: String?, _ second: String? = nil, query: [(String, String?)],
        body: (any Encodable)? = nil
    ) async throws -> Reply<Body> {
        let request = try request(operation, parameter, second, query: query, body: body)
        let response: HTTPFullResponse
        do {
            response = try await transport.send(request, timeout: timeout, maxResponseBytes: largestReply)
        } catch let error as HTTPClientError {
            throw ConnectionFailure(error, address)
        }
        guard (200..<300).contains(response.status) else { throw refusal(response.status, response.body) }
        do {
            return try JSONDecoder().decode(Reply<Body>.self, from: Data(response.body))
        } catch {
            throw ConnectionFailure(
                .malformed, address, "its answer to \(operation.rawValue) is not what this client understands: \(error)"
            )
        }
    }

    private func stream<Element: Codable & Sendable>(
        _ operation: Operation, _ parameter: String, query: [(String, String?)] = [],
        format: ReplyStream<Element>.Format
    ) async throws -> ReplyStream<Element> {
        let request = try request(operation, parameter, query: query, body: nil)
        do {
            let response = try await transport.stream(request, headTimeout: timeout)
            guard response.status == 200 else {
                var body: [UInt8] = []
                for try await chunk in response.body where body.count < 1 << 20 { body += chunk }
                throw refusal(response.status, body)
            }
            return ReplyStream(response.body, format: format, address: address)
        } catch let error as HTTPClientError {
            throw ConnectionFailure(error, address)
        }
    }

    private func request(
        _ operation: Operation, _ parameter: String?, _ second: String? = nil, query: [(String, String?)],
        body: (any Encodable)?
    ) throws -> HTTPRequest {
        if parameter?.isEmpty == true || second?.isEmpty == true {
            let error = APIError(code: ErrorCode.invalidRequest.rawValue, message: "the name or id is empty")
            throw APIFailure(status: ErrorCode.invalidRequest.status, error: error)
        }
        let parameters = [parameter, second].compactMap { $0 }.map(HTTPQuery.percentEncode)
        var target = parameters.isEmpty ? operation.path : operation.filled(parameters)
        let written = query.compactMap { name, value in value.map { name + "=" + HTTPQuery.percentEncode($0) } }
        if !written.isEmpty { target += "?" + written.joined(separator: "&") }
        var request = HTTPRequest(operation.method, target)
        request.fields["accept"] = "application/json"
        if let token { request.fields["authorization"] = "Bearer " + token }
        if let body {
            request.fields["content-type"] = "application/json"
            request.fields["idempotency-key"] = String(UInt64.random(in: .min ... .max), radix: 36)
            request.body = Array(try JSONEncoder().encode(body))
        }
        return request
    }

    private func refusal(_ status: Int, _ body: [UInt8]) -> any Error {
        // Not an error of the API's form: something else answered.
        if let failure = try? JSONDecoder().decode(Failure.self, from: Data(body)) {
            return APIFailure(status: status, error: failure.error, requestId: failure.meta.requestId)
        }
        return ConnectionFailure(.malformed, address, "it answered \(status) without an error of the API's form")
    }
}
