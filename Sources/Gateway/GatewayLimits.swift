/// What a gateway allows, for all its event loops together. Everything has a limit; the defaults are these.
package struct GatewayLimits: Sendable {
    /// From a head's first byte to its end; then `408`.
    package var headTimeout: Duration = .seconds(10)
    /// From the first byte of a TLS handshake to its end; then the connection is closed.
    package var handshakeTimeout: Duration = .seconds(10)
    /// A client's connection without a request.
    package var keepAliveTimeout: Duration = .seconds(75)
    /// From the last byte that passed either way to the answer's head; then `504 response_timeout`.
    package var responseTimeout: Duration = .seconds(60)
    /// Without a byte either way while a body passes; then both ends are closed.
    package var streamTimeout: Duration = .seconds(300)
    package var connectTimeout: Duration = .seconds(5)
    /// An unused connection to a service.
    package var upstreamIdleTimeout: Duration = .seconds(30)
    /// Unused connections kept for each service and event loop.
    package var maxIdlePerEndpoint = 128
    /// Clients' connections; one more is answered `503 overloaded` and closed.
    package var maxConnections = 16_384
    /// Requests in flight; one more is answered `503 overloaded`.
    package var maxRequests = 8_192
    /// Different (caller, service, context, provider, error) that are counted apart; more are counted as overflow.
    package var maxCountKeys = 20_000
    /// Different (environment, service, provider) whose requests are measured apart; more are measured together.
    package var maxMeasureKeys = 1_000
    /// Spans of each event loop on their way to the files; more are lost and counted.
    package var maxSpansInMemory = 8_192
    /// A file of spans, and how many of them there are; the oldest goes.
    package var maxSpanSegmentBytes = 8 << 20
    package var maxSpanSegments = 16
    /// How long a request waits for an environment that starts or is woken; then `503 starting`.
    package var wakeTimeout: Duration = .seconds(60)
    /// Requests and connections that wait so; one more is answered `503 overloaded`.
    package var maxWaiting = 2_048
    /// What is kept of them, in bytes.
    package var maxWaitingBytes = 16 << 20
    /// How long requests in flight may take to finish when the gateway stops.
    package var drainTimeout: Duration = .seconds(5)

    /// How long connections that were open when another gateway took over may go on.
    package var retirement: Duration = .seconds(600)

    package init() {}
}

extension Duration {
    /// Whole milliseconds; negative is 0.
    var milliseconds: Int64 { max(0, components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000) }
}

/// The limits' times in milliseconds, worked out once: requests only add them.
struct Timeouts: Sendable {
    let head: Int64
    let handshake: Int64
    let keepAlive: Int64
    let response: Int64
    let stream: Int64
    let connect: Int64
    let wake: Int64

    init(_ limits: GatewayLimits) {
        handshake = limits.handshakeTimeout.milliseconds
        head = limits.headTimeout.milliseconds
        keepAlive = limits.keepAliveTimeout.milliseconds
        response = limits.responseTimeout.milliseconds
        stream = limits.streamTimeout.milliseconds
        wake = limits.wakeTimeout.milliseconds
        // The event loop's own limit comes first.
        connect = limits.connectTimeout.milliseconds + 1000
    }
}
