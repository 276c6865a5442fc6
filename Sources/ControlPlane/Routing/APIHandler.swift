import API
import EnvironmentGraph
import Foundation
import HTTPTransport
import Logging
import Orchestration
import Storage

/// From an HTTP request to an operation and back: authentication, envelope, errors, idempotency.
struct APIHandler: Sendable {
    let operations: EnvironmentOperations
    let store: any Store
    let outside: Outside
    let health: @Sendable () async -> HealthView
    /// What ``Server`` puts in the place of these; over a simulation there is nothing to wait for and nothing to read.
    var readiness: @Sendable () async -> [ReadyView.Part] = { [] }
    var exposition: @Sendable () async throws -> String = { "" }
    var tableNews: @Sendable (_ cursor: String?, _ limit: Duration) async -> TableNews = { _, _ in TableNews() }
    var metrics = MetricsBook()
    /// What ``anyone`` may ask.
    var openOperations: Set<API.Operation> = [.health, .ready]
    let log: Logger
    private let router = Router()
    private let keys = IdempotencyKeys()

    /// Who asks without a token; only ``openOperations`` answer them.
    static let anyone = "anyone"

    /// Whether a request may be answered for ``anyone``.
    func isOpen(_ request: HTTPRequest) -> Bool {
        if case .operation(let operation, _) = router.match(request.method, request.path) {
            return openOperations.contains(operation)
        }
        return false
    }

    /// - Parameter actor: who asks, as authenticated.
    func handle(_ request: HTTPRequest, actor: String) async -> HTTPResponse {
        let requestID = "req_" + outside.token()
        let start = ContinuousClock.now
        let response = await answer(request, actor: actor, requestID: requestID)
        // The server's own question whether it lives.
        guard request.path != "/" else { return response }
        var operation: API.Operation?
        if case .operation(let known, _) = router.match(request.method, request.path) { operation = known }
        let seconds = start.secondsSince
        metrics.request(operation, status: response.status, seconds: seconds)
        log.log(
            level: response.status >= 500 ? .warning : request.method == "GET" ? .debug : .info, "request",
            metadata: [
                "request": "\(requestID)", "operation": "\(operation?.rawValue ?? "none")",
                "status": "\(response.status)", "milliseconds": "\(Int(seconds * 1000))", "actor": "\(actor)",
            ])
        return response
    }

    private func answer(_ request: HTTPRequest, actor: String, requestID: String) async -> HTTPResponse {
        do {
            return try await route(request, actor: actor, requestID: requestID)
        } catch {
            let problem = APIProblem(error)
            if problem.code == .internalError {
                log.error("request failed", metadata: ["request": "\(requestID)", "error": "\(error)"])
            }
            return Self.failure(problem, requestID: requestID)
        }
    }

    static func failure(_ problem: APIProblem, requestID: String) -> HTTPResponse {
        let failure = Failure(error: problem.error, meta: ReplyMeta(requestId: requestID))
        return json(problem.code.status, failure)
    }

    private func route(_ request: HTTPRequest, actor: String, requestID: String) async throws -> HTTPResponse {
        switch router.match(request.method, request.path) {
        case .noSuchPath:
            throw APIProblem(.notFound, "there is no path \(shortened(request.path))")
        case .notSupportedYet:
            throw APIProblem(.notSupportedYet, "not_supported_yet: \(request.method) \(request.path)")
        case .noSuchMethod(let allowed):
            throw APIProblem(
                .methodNotAllowed, "\(request.method) is not possible here", hint: allowed.joined(separator: ", "))
        case .operation(let operation, let parameters):
            let call = APICall(
                operation: operation, parameters: parameters, request: request, actor: actor, requestID: requestID)
            guard operation.method == "POST", let key = request.fields["idempotency-key"] else {
                return try await carryOut(call)
            }
            return try await keys.once(key) { try await idempotent(call, key: key) }
        }
    }

    // MARK: Idempotency

    /// How long a reply is kept.
    static let idempotencyHours: Int64 = 24

    private func idempotent(_ call: APICall, key: String) async throws -> HTTPResponse {
        guard (1...255).contains(key.utf8.count) else {
            throw APIProblem(.invalidRequest, "an Idempotency-Key has 1 to 255 bytes")
        }
        let fingerprint = call.fingerprint
        let oldest = outside.now() - Self.idempotencyHours * 3_600_000
        if let reply = try await store.read({ try $0.idempotentReply(key) }), reply.createdAt >= oldest {
            guard reply.fingerprint == fingerprint else {
                throw APIProblem(
                    .idempotencyKeyReused, "this Idempotency-Key came with another request before",
                    hint: "use a new key")
            }
            return HTTPResponse(
                status: reply.status, fields: Self.jsonFields, body: .bytes(Array(reply.body.utf8)))
        }
        try await store.write { try $0.removeIdempotentReplies(before: oldest) }
        var call = call
        call.idempotency = IdempotencyTicket(key: key, fingerprint: fingerprint)
        return try await carryOut(call)
    }

    // MARK: Replies

    static let jsonFields = HTTPFields([(name: "content-type", value: "application/json")])

    static func json(_ status: Int, _ value: some Encodable) -> HTTPResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return HTTPResponse(status: status, fields: jsonFields, body: .bytes(Array(try encoder.encode(value))))
        } catch {
            return HTTPResponse(
                status: 500, fields: jsonFields,
                body: .bytes(
                    Array(
                        #"{"error":{"code":"internal_error","message":"the reply could not be encoded"},"meta":{"requestId":""}}"#
                            .utf8)))
        }
    }
}

/// Under which key the reply to a change is stored, in the same transaction as the change.
struct IdempotencyTicket: Sendable {
    let key: String
    let fingerprint: String
}

/// One call of an operation.
struct APICall: Sendable {
    let operation: API.Operation
    let parameters: [String]
    let request: HTTPRequest
    let actor: String
    let requestID: String
    /// Where a repetition of this call must get the same reply.
    var idempotency: IdempotencyTicket?

    func reply(_ status: Int = 200, next: String? = nil, data: some Codable & Sendable) -> HTTPResponse {
        APIHandler.json(status, Reply(data: data, meta: ReplyMeta(requestId: requestID, next: next)))
    }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        do {
            return try JSONDecoder().decode(type, from: Data(request.body))
        } catch let DecodingError.keyNotFound(key, context) {
            let path = (context.codingPath + [key]).map(\.stringValue).joined(separator: ".")
            throw APIProblem(.invalidRequest, "the body lacks \(path)")
        } catch let DecodingError.typeMismatch(_, context) {
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw APIProblem(.invalidRequest, "the body's \(path) has the wrong type")
        } catch let DecodingError.dataCorrupted(context) {
            throw APIProblem(.invalidRequest, context.debugDescription)
        } catch {
            throw APIProblem(.invalidRequest, "the body is no JSON of the expected form")
        }
    }

    /// A query parameter that is true or false. Anything else is refused: what was meant as a dry run must not be a real
    /// one.
    func flag(_ name: String) throws -> Bool {
        switch request.query[name] {
        case nil, "false": return false
        case "true": return true
        default: throw APIProblem(.invalidRequest, "\(name) is true or false")
        }
    }

    /// - Throws: ``APIProblem`` for a parameter that this operation does not know.
    func refuseParameters(except known: String...) throws {
        guard let unknown = request.query.keys.sorted().first(where: { !known.contains($0) }) else { return }
        throw APIProblem(
            .invalidRequest, "there is no parameter \(shortened(unknown)) here",
            hint: known.isEmpty ? nil : "there is: \(known.joined(separator: ", "))")
    }

    /// Tells two different requests under one key apart.
    var fingerprint: String {
        SecretBox.sha256([UInt8]("\(request.method) \(request.target)\n".utf8) + request.body)
    }
}

/// Lets requests with the same key follow one another.
private actor IdempotencyKeys {
    private var busy: [String: Task<HTTPResponse, any Error>] = [:]

    func once(_ key: String, _ body: @escaping @Sendable () async throws -> HTTPResponse) async throws -> HTTPResponse {
        while let task = busy[key] {
            // Its failure is its own caller's; this one then tries itself.
            _ = try? await task.value
            if busy[key] == task { busy[key] = nil }
        }
        // Ends by itself; the caller waits for it.
        let task = Task { try await body() }
        busy[key] = task
        defer { if busy[key] == task { busy[key] = nil } }
        return try await task.value
    }
}
