import HTTPWire

/// One request through the gateway, as an event loop notes it: a value of fixed size without references, so that
/// recording is a copy into memory that is there already. Positions are those of the table that decided it.
struct HopSpan {
    /// Which of its many yes and no it has; the same bits stand in the files.
    struct Flags: OptionSet, Sendable {
        let rawValue: UInt16

        /// The carriers named different contexts.
        static let disagrees = Flags(rawValue: 1 << 0)
        static let suspected = Flags(rawValue: 1 << 1)
        static let restored = Flags(rawValue: 1 << 2)
        /// A suspected leak that was refused.
        static let refused = Flags(rawValue: 1 << 3)
        /// It came without a trace, and belongs to the only request that its caller was answering.
        static let attributed = Flags(rawValue: 1 << 4)
        /// W3C's `sampled` of the trace, or of one that began here.
        static let sampled = Flags(rawValue: 1 << 5)
        /// A side broke off before the answer was complete.
        static let broken = Flags(rawValue: 1 << 6)
        /// At the edge: a call within its trace has lost its context.
        static let contextLost = Flags(rawValue: 1 << 7)
        /// The unknown context was ignored.
        static let ignoredContext = Flags(rawValue: 1 << 8)
        /// The route is longer than what was kept of it.
        static let routeIsCut = Flags(rawValue: 1 << 9)
        /// The copy was asked; otherwise the gateway answered by itself.
        static let reachedProvider = Flags(rawValue: 1 << 10)
    }

    /// How much of method and path is kept.
    static let routeBytes = 96

    var trace = TraceID(high: 0, low: 0)
    var span: UInt64 = 0
    /// 0 for none.
    var parent: UInt64 = 0
    /// Nanoseconds of the monotonic clock; 0: there is no request.
    var start: UInt64 = 0
    /// Nanoseconds from the head of the request to the end of the answer.
    var duration: UInt64 = 0
    /// Nanoseconds until the answer's head; 0 where none came.
    var firstByte: UInt64 = 0
    /// Of the bodies, as they came.
    var requestBytes: UInt64 = 0
    var responseBytes: UInt64 = 0
    var listener: Int32 = -1
    var environment: Int32 = -1
    var service: Int32 = -1
    var context: Int32 = -1
    /// 0 where no answer came.
    var status: UInt16 = 0
    var flags: Flags = []
    var carrier = Carrier.none
    /// ``GatewayFault`` + 1; 0 for none.
    var fault: UInt8 = 0
    var attempts: UInt8 = 0
    var routeCount: UInt8 = 0
    /// Which of the batch's tables the positions are of.
    var table: UInt8 = 0
    private var route:
        (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) =
            (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)

    /// Starts over with a request. Of the target what comes before the query is kept: a query may hold what is nobody's
    /// business.
    mutating func begin(at now: UInt64, _ method: UnsafeRawBufferPointer, _ target: UnsafeRawBufferPointer) {
        start = now
        duration = 0
        firstByte = 0
        parent = 0
        requestBytes = 0
        responseBytes = 0
        status = 0
        flags = []
        carrier = .none
        fault = 0
        attempts = 0
        withUnsafeMutableBytes(of: &route) { route in
            let methodCount = min(method.count, 16)
            route.copyMemory(from: UnsafeRawBufferPointer(rebasing: method[..<methodCount]))
            route[methodCount] = 0x20
            let path = firstIndex(of: 0x3F, in: target, from: 0) ?? target.count
            let kept = min(path, Self.routeBytes - methodCount - 1)
            UnsafeMutableRawBufferPointer(rebasing: route[(methodCount + 1)...]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: target[..<kept]))
            if kept < path { flags.insert(.routeIsCut) }
            routeCount = UInt8(truncatingIfNeeded: methodCount + 1 + kept)
        }
    }

    func withRoute<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeBytes(of: route) { body(UnsafeRawBufferPointer(rebasing: $0[..<Int(routeCount)])) }
    }
}

/// What decided a request's context. The numbers stand in the files.
package enum Carrier: UInt8, Sendable, CaseIterable, Codable {
    case none
    /// `routing.headerName`.
    case header
    case baggage, tracestate
    /// The trace id, seen before.
    case trace
    /// The address, which was made for a caller in an overlay.
    case caller
    /// The overlay's own URL, its host name, the cookie.
    case url, host, cookie

    package var name: String {
        switch self {
        case .none: "none"
        case .header: "header"
        case .baggage: "baggage"
        case .tracestate: "tracestate"
        case .trace: "trace"
        case .caller: "caller"
        case .url: "url"
        case .host: "host"
        case .cookie: "cookie"
        }
    }
}
