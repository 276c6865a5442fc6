/// Which names `routing.headerName` may have: not those of headers that mean something by themselves, as the gateway
/// writes this header into every request and reads it from every one.
enum ContextHeaderName {
    static let hint = "`x-msx-env`, or any `x-…` name of your own"

    /// A token of RFC 9110, section 5.6.2.
    static func isToken(_ name: String) -> Bool {
        let isToken = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        }
        return isToken && (1...100).contains(name.utf8.count)
    }

    /// Whether others give the name a meaning: HTTP itself, proxies, or tools that follow requests.
    ///
    /// - Parameter name: in lower case.
    static func isTaken(_ name: String) -> Bool {
        if name == "x-msx-env" { return false }
        return names.contains(name) || prefixes.contains(where: name.hasPrefix)
    }

    private static let prefixes = [
        "accept", "access-control-", "content-", "if-", "proxy-", "sec-", "x-amz", "x-b3-", "x-datadog-",
        "x-envoy-", "x-forwarded", "x-msx-", "x-ot-span-",
    ]

    /// The permanent ones of the IANA registry that a request or reply may carry, and what is in wide use besides.
    private static let names: Set<String> = [
        "age", "allow", "alt-svc", "authority", "authorization", "b3", "baggage", "cache-control", "clear-site-data",
        "close", "connection", "cookie", "cookie2", "date", "dnt", "early-data", "etag", "expect", "expires",
        "forwarded", "from", "grpc-timeout", "host", "http2-settings", "keep-alive", "last-modified", "link",
        "location",
        "max-forwards", "mime-version", "origin", "pragma", "prefer", "priority", "range", "referer", "retry-after",
        "sentry-trace", "server", "server-timing", "set-cookie", "set-cookie2", "strict-transport-security", "te",
        "traceparent", "tracestate", "trailer", "transfer-encoding", "uber-trace-id", "upgrade",
        "upgrade-insecure-requests", "user-agent", "vary", "via", "warning", "www-authenticate", "x-api-key",
        "x-cloud-trace-context", "x-correlation-id", "x-csrf-token", "x-http-method-override", "x-real-ip",
        "x-request-id", "x-requested-with",
    ]
}
