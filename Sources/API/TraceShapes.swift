/// A request from outside with everything that followed from it, as far as the gateway saw it: of
/// `GET /v1/environments/{id}/traces`.
package struct TraceView: Codable, Sendable, Hashable {
    /// 32 hexadecimal digits.
    package var id: String
    package var startedAt: String
    /// From the first hop's start to the last one's end.
    package var durationMilliseconds: Double
    /// Method and path where it came in; without the query.
    package var route: String
    /// `edge`, or the service that began it by itself.
    package var caller: String
    package var service: String
    /// Name of the environment whose address was called first.
    package var environment: String
    /// Of the answer to the first hop; absent where there was none.
    package var status: Int?
    /// `x-msx-error`, where the gateway answered the first hop itself.
    package var error: String?
    /// Name of the overlay whose request it is; absent for none.
    package var context: String?
    package var hops: Int
    /// Hops that nobody answered, or with 5xx, or the gateway itself.
    package var errors: Int
    package var leaks: [TraceLeakView]
    /// Whether a call has lost its context: one of `leaks`, or one that may belong to several traces.
    package var contextLost: Bool
    package var warnings: [String]
    /// Parents before their children; only of a single trace.
    package var spans: [SpanView]?

    package init(
        id: String, startedAt: String, durationMilliseconds: Double, route: String, caller: String, service: String,
        environment: String, status: Int?, error: String?, context: String?, hops: Int, errors: Int,
        leaks: [TraceLeakView], contextLost: Bool, warnings: [String], spans: [SpanView]?
    ) {
        self.id = id
        self.startedAt = startedAt
        self.durationMilliseconds = durationMilliseconds
        self.route = route
        self.caller = caller
        self.service = service
        self.environment = environment
        self.status = status
        self.error = error
        self.context = context
        self.hops = hops
        self.errors = errors
        self.leaks = leaks
        self.contextLost = contextLost
        self.warnings = warnings
        self.spans = spans
    }
}

/// A caller that has dropped the context of what it was answering.
package struct TraceLeakView: Codable, Sendable, Hashable {
    package var caller: String
    /// The called one.
    package var service: String
    /// Name of the environment that the caller runs in.
    package var environment: String
    /// `suspected`, or `restored` from the only request that the caller was answering.
    package var kind: String
    /// It was answered `409 context_lost`.
    package var refused: Bool
    /// Headers of which the caller would have to forward one.
    package var forward: [String]

    package init(
        caller: String, service: String, environment: String, kind: String, refused: Bool, forward: [String]
    ) {
        self.caller = caller
        self.service = service
        self.environment = environment
        self.kind = kind
        self.refused = refused
        self.forward = forward
    }
}

/// Whose copy was found.
package struct SpanProviderView: Codable, Sendable, Hashable {
    package var environment: String
    package var revision: Int
    /// Whether it was asked; otherwise the gateway answered in its place.
    package var answered: Bool

    package init(environment: String, revision: Int, answered: Bool) {
        self.environment = environment
        self.revision = revision
        self.answered = answered
    }
}

/// One hop: a request from one service, or from outside, to another.
package struct SpanView: Codable, Sendable, Hashable {
    /// 16 hexadecimal digits, as the service saw it in `traceparent`.
    package var spanId: String
    /// As it came in `traceparent`; the service's own tracer may have put it there.
    package var parentSpanId: String?
    /// 0 for what came in from outside, or cannot be told from where.
    package var depth: Int
    /// `edge` or a service.
    package var caller: String
    package var callerEnvironment: String
    package var service: String
    package var provider: SpanProviderView?
    package var context: String?
    package var method: String
    /// Without the query; ends with … where it is longer.
    package var path: String
    package var status: Int?
    package var error: String?
    package var startedAt: String
    /// Since the trace's start.
    package var offsetMilliseconds: Double
    package var durationMilliseconds: Double
    /// Until the answer's head.
    package var firstByteMilliseconds: Double?
    /// What decided the context: `header`, `baggage`, `tracestate`, `trace`, `caller`, `url`, `host`, `cookie`, `none`.
    package var carrier: String
    package var carriersDisagree: Bool
    /// `suspected` or `restored`.
    package var leak: String?
    package var leakRefused: Bool
    /// It named no trace, and belongs to the only request that its caller was answering.
    package var attributed: Bool
    /// A side broke off before the answer was complete.
    package var broken: Bool
    /// Of the bodies.
    package var requestBytes: UInt64
    package var responseBytes: UInt64
    /// Connections to the copy that were tried.
    package var attempts: Int

    package init(
        spanId: String, parentSpanId: String?, depth: Int, caller: String, callerEnvironment: String, service: String,
        provider: SpanProviderView?, context: String?, method: String, path: String, status: Int?, error: String?,
        startedAt: String, offsetMilliseconds: Double, durationMilliseconds: Double, firstByteMilliseconds: Double?,
        carrier: String, carriersDisagree: Bool, leak: String?, leakRefused: Bool, attributed: Bool, broken: Bool,
        requestBytes: UInt64, responseBytes: UInt64, attempts: Int
    ) {
        self.spanId = spanId
        self.parentSpanId = parentSpanId
        self.depth = depth
        self.caller = caller
        self.callerEnvironment = callerEnvironment
        self.service = service
        self.provider = provider
        self.context = context
        self.method = method
        self.path = path
        self.status = status
        self.error = error
        self.startedAt = startedAt
        self.offsetMilliseconds = offsetMilliseconds
        self.durationMilliseconds = durationMilliseconds
        self.firstByteMilliseconds = firstByteMilliseconds
        self.carrier = carrier
        self.carriersDisagree = carriersDisagree
        self.leak = leak
        self.leakRefused = leakRefused
        self.attributed = attributed
        self.broken = broken
        self.requestBytes = requestBytes
        self.responseBytes = responseBytes
        self.attempts = attempts
    }
}
