import HTTPWire

/// An answer that the gateway makes itself: the one place that says which cause has which code and status.
enum GatewayFault: UInt8, Sendable, CaseIterable {
    case badRequest, headTooLarge, requestTimeout, badContext
    case unknownHost, unknownEnvironment, unknownService
    case noEndpoint, starting, connectFailed, upstreamReset, responseTimeout
    case overloaded, notSupportedYet, contextLost

    var code: String {
        switch self {
        case .badRequest: "bad_request"
        case .headTooLarge: "head_too_large"
        case .requestTimeout: "request_timeout"
        case .badContext: "bad_context"
        case .unknownHost: "unknown_host"
        case .unknownEnvironment: "unknown_environment"
        case .unknownService: "unknown_service"
        case .noEndpoint: "no_endpoint"
        case .starting: "starting"
        case .connectFailed: "connect_failed"
        case .upstreamReset: "upstream_reset"
        case .responseTimeout: "response_timeout"
        case .overloaded: "overloaded"
        case .notSupportedYet: "not_supported_yet"
        case .contextLost: "context_lost"
        }
    }

    var status: (code: Int, reason: String) {
        switch self {
        case .badRequest, .badContext: (400, "Bad Request")
        case .headTooLarge: (431, "Request Header Fields Too Large")
        case .requestTimeout: (408, "Request Timeout")
        case .unknownHost, .unknownEnvironment, .unknownService: (404, "Not Found")
        case .noEndpoint, .starting, .overloaded: (503, "Service Unavailable")
        case .connectFailed, .upstreamReset: (502, "Bad Gateway")
        case .responseTimeout: (504, "Gateway Timeout")
        case .notSupportedYet: (501, "Not Implemented")
        case .contextLost: (409, "Conflict")
        }
    }

    /// Where the client may try again by itself.
    var retryAfterSeconds: Int? {
        switch self {
        case .starting, .overloaded: 1
        case .noEndpoint: 2
        default: nil
        }
    }

    var message: String {
        switch self {
        case .badRequest: "The request is malformed."
        case .headTooLarge: "The request's head is over 64 KiB or has over 512 headers."
        case .requestTimeout: "The request's head did not come in time."
        case .badContext: "The routing context is empty, contradictory or not a DNS label."
        case .unknownHost: "This host name leads to no service."
        case .unknownEnvironment: "There is no overlay of that name on this baseline."
        case .unknownService: "The service does not exist in this environment, or was removed from it."
        case .noEndpoint: "The service's copy that would answer is not ready."
        case .starting: "The environment is starting."
        case .connectFailed: "The service's copy refused the connection."
        case .upstreamReset: "The service's copy broke off, or its answer is malformed."
        case .responseTimeout: "The service's copy did not answer in time."
        case .overloaded: "Too many requests are in flight."
        case .contextLost: "The calling service has dropped the routing context of the request that it answers."
        case .notSupportedYet: "CONNECT is not supported yet."
        }
    }

    var hint: String? {
        switch self {
        case .unknownHost: "use http://<service>.<environment>.localhost, or the URL that `microstax env get` prints"
        case .contextLost:
            "it must forward one of x-msx-env, baggage, tracestate, traceparent; see `microstax env traces <env> --leaks`"
        case .unknownEnvironment: "see `microstax overlay list`"
        case .unknownService, .noEndpoint, .connectFailed:
            "see `microstax env explain <environment> --service <service>`"
        default: nil
        }
    }

    /// The whole response. `detail` replaces the message; it holds no quotes, backslashes or control characters.
    ///
    /// - Parameter route: a whole line, or nothing.
    func response(detail: String? = nil, closes: Bool, isHead: Bool, route: [UInt8] = []) -> [UInt8] {
        var body = "{\"error\":{\"code\":\"\(code)\",\"message\":\"\(detail ?? message)\""
        if let hint { body += ",\"hint\":\"\(hint)\"" }
        body += "}}\n"
        var head = "HTTP/1.1 \(status.code) \(status.reason)\r\nx-msx-error: \(code)\r\n"
        head += "content-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n"
        if let retryAfterSeconds { head += "retry-after: \(retryAfterSeconds)\r\n" }
        if !route.isEmpty { head += String(decoding: route, as: UTF8.self) }
        if closes { head += "connection: close\r\n" }
        head += "\r\n"
        return Array((isHead ? head : head + body).utf8)
    }

    /// The status that a client of gRPC gets (grpc.io, statuscodes.md).
    private var grpcStatus: Int {
        switch self {
        case .badRequest, .headTooLarge, .badContext: 3
        case .requestTimeout, .responseTimeout: 4
        case .unknownHost, .unknownEnvironment: 5
        case .overloaded: 8
        case .contextLost: 9
        case .unknownService, .notSupportedYet: 12
        case .noEndpoint, .starting, .connectFailed, .upstreamReset: 14
        }
    }

    /// The whole response to a call of gRPC: it is all trailers, as an HTTP status would be shown to nobody.
    func grpcResponse(detail: String? = nil, closes: Bool) -> [UInt8] {
        var head = "HTTP/1.1 200 OK\r\nx-msx-error: \(code)\r\ncontent-type: application/grpc\r\n"
        let text = ["\(code): \(detail ?? message)", hint].compactMap(\.self).joined(separator: " ")
        // The protocol wants everything outside of printable ASCII, and the percent sign, encoded.
        head += "grpc-status: \(grpcStatus)\r\ngrpc-message: \(text.replacing("%", with: "%25"))\r\n"
        head += "content-length: 0\r\n"
        if closes { head += "connection: close\r\n" }
        return Array((head + "\r\n").utf8)
    }
}
