import EnvironmentGraph
import HTTPWire

/// Which copy answers one request, and in which context.
struct RouteDecision {
    enum Outcome {
        case forward(CompiledService, Endpoint)
        case refuse(GatewayFault)
    }

    var outcome: Outcome
    /// Number of the listener, or -1 on the shared edge port.
    var listener = -1
    /// The environment whose address was used; -1 for none.
    var environment = -1
    /// Number of the service's copy; -1 where none was found.
    var service = -1
    /// The environment whose context the request is in; -1 for none.
    var context = -1
    var carriersDisagree = false
    /// The context was unknown and the baseline answers all the same.
    var ignoredContext = false
    var settings: RoutingSettings?
    var carriers: ContextCarriers?
    /// Where the copy is not ready, but starts, or can be woken: it may be waited for.
    var mayWait = false
    /// The caller has dropped the context of what it answers.
    var leak: CallLeak?
    /// What decided the context.
    var carrier = Carrier.none
    /// The trace of the only request that the caller is answering, for a call that names none: it goes on with it.
    var adopted: TraceID?
    /// The traces that a suspected leak may belong to.
    var lost: [TraceID] = []
    private let traces: TraceMemory
    private let now: Int64
    private var callerServing: Serving?
    private var isByHost = false

    private init(outcome: Outcome, listener: Int = -1, traces: TraceMemory, now: Int64) {
        self.outcome = outcome
        self.listener = listener
        self.traces = traces
        self.now = now
    }

    /// Of the requests that the caller is answering.
    var callersTraces: [TraceID] { callerServing?.traces ?? [] }

    /// Where the request of that trace is shown that the caller is answering.
    func callersHop(of trace: TraceID) -> Serving.Hop? { callerServing?.hop(of: trace) }

    /// Decides for a request on `listener`, or on the shared edge port where there is none.
    ///
    /// - Parameters:
    ///   - traces: in which context traces were seen before.
    ///   - now: by the clock of `traces`.
    static func make(
        _ table: CompiledTable, _ listener: CompiledListener?, _ request: borrowing RequestHeadParser,
        _ bytes: UnsafeRawBufferPointer, traces: TraceMemory, now: Int64
    ) -> RouteDecision {
        if let listener {
            var decision = RouteDecision(
                outcome: .refuse(.unknownService), listener: listener.number, traces: traces, now: now)
            decision.environment = listener.environment
            decision.callerServing = listener.callerServing
            listener.serviceBytes.withUnsafeBytes { service in
                decision.decide(
                    table, service, portName: listener.portName, isEdge: listener.isEdge, hostContext: nil,
                    request, bytes)
            }
            return decision
        }
        var decision = RouteDecision(outcome: .refuse(.unknownHost), traces: traces, now: now)
        decision.isByHost = true
        decision.decideByHost(table, request, bytes)
        return decision
    }

    private mutating func decideByHost(
        _ table: CompiledTable, _ request: borrowing RequestHeadParser, _ bytes: UnsafeRawBufferPointer
    ) {
        guard let host = EdgeHost(request.host, in: bytes),
            let named = table.environment(named: host.environment.of(bytes))
        else { return }
        environment = named
        if case .unknown = table.resolve(host.label.of(bytes), in: named) {
            for split in host.splits(in: bytes) {
                let overlay = split.overlay.of(bytes)
                let found = table.environment(ofContext: overlay, root: table.environments[named].root)
                // An unknown overlay is only said to be one if the rest of the label is a service.
                if found == nil, case .unknown = table.resolve(split.service.of(bytes), in: named) { continue }
                decide(
                    table, split.service.of(bytes), portName: nil, isEdge: true, hostContext: overlay, request, bytes)
                return requireExposed(table)
            }
            outcome = .refuse(.unknownService)
            return
        }
        decide(table, host.label.of(bytes), portName: nil, isEdge: true, hostContext: nil, request, bytes)
        requireExposed(table)
    }

    /// By host name only what is exposed can be reached.
    private mutating func requireExposed(_ table: CompiledTable) {
        guard service >= 0, !table.services[service].exposed else { return }
        mayWait = false
        outcome = .refuse(.unknownService)
    }

    private mutating func decide(
        _ table: CompiledTable, _ service: UnsafeRawBufferPointer, portName: String?, isEdge: Bool,
        hostContext: UnsafeRawBufferPointer?, _ request: borrowing RequestHeadParser, _ bytes: UnsafeRawBufferPointer
    ) {
        let origin = table.environments[environment]
        let carriers = origin.settings.headerName.withUnsafeBytes {
            ContextCarriers(request.head, bytes, headerName: $0)
        }
        self.carriers = carriers
        settings = origin.settings
        carriersDisagree = carriers.disagrees
        if carriers.violation != nil {
            outcome = .refuse(.badContext)
            return
        }
        var target = environment
        // Carriers 1 to 3, then 4 (the trace), then 5 (the caller's environment), then 6 (own URL, host name, cookie).
        var named = carriers.context?.of(bytes)
        let seen = carriers.trace.map {
            traces.context(of: $0, root: table.environments[origin.root].key, now: now)
        }
        if let known = traced(seen, origin, table, named),
            !isEdge || agrees(known, origin, table, hostContext, carriers.cookie?.of(bytes))
        {
            guard known >= 0 else {
                // The trace began in an overlay that is gone.
                guard origin.settings.answersUnknownFromBaseline else {
                    outcome = .refuse(.unknownEnvironment)
                    return
                }
                ignoredContext = true
                return resolve(table, service, origin.root, portName, isEdge)
            }
            carrier = .trace
            noteDisagreement(known, origin, table, hostContext)
            return decide(table, service, in: known, isNamed: true, portName, isEdge)
        }
        if named != nil {
            carrier = Carrier(rawValue: carriers.decidedBy) ?? .none
        } else if hostContext != nil {
            carrier = .host
        } else if !origin.context.isEmpty {
            carrier = !isEdge ? .caller : isByHost ? .host : .url
        }
        named = named ?? hostContext
        if named == nil, isEdge, origin.context.isEmpty, let cookie = carriers.cookie {
            guard isDNSLabel(cookie.of(bytes)) else {
                outcome = .refuse(.badContext)
                return
            }
            named = cookie.of(bytes)
            carrier = .cookie
        }
        if let named {
            if let found = table.environment(ofContext: named, root: origin.root) {
                noteDisagreement(found, origin, table, hostContext)
                target = found
            } else if origin.settings.answersUnknownFromBaseline {
                ignoredContext = true
                target = origin.root
            } else {
                outcome = .refuse(.unknownEnvironment)
                return
            }
        }
        // A trace that began without a context says so.
        let isNamed = named != nil || seen == TraceMemory.Context.none
        decide(table, service, in: target, isNamed: isNamed, portName, isEdge)
    }

    /// The context is found; holds it against what the caller is answering just now.
    private mutating func decide(
        _ table: CompiledTable, _ service: UnsafeRawBufferPointer, in found: Int, isNamed: Bool, _ portName: String?,
        _ isEdge: Bool
    ) {
        var target = found
        let effective = table.environments[target].context.isEmpty ? 0 : table.environments[target].stamp
        switch callerServing?.judge(context: effective, isNamed: isNamed) {
        case nil: break
        case .fits: adopt(effective)
        case .sole(let stamp, let trace):
            let root = table.environments[environment].root
            let sole = stamp == 0 ? root : table.environment(stamped: stamp)
            if settings?.attributesSoleRequests == true, sole == nil, settings?.answersUnknownFromBaseline != true {
                // The overlay of the only request is gone.
                outcome = .refuse(.unknownEnvironment)
                return
            }
            guard settings?.attributesSoleRequests == true, let sole, table.environments[sole].root == root else {
                if lose([trace]) { return }
                break
            }
            leak = .restored
            if carriers?.trace == nil { adopted = trace }
            target = sole
        case .suspected(let broken):
            if lose(broken) { return }
        }
        if !table.environments[target].context.isEmpty { context = target }
        resolve(table, service, target, portName, isEdge)
    }

    /// A call that names no trace is part of the only request that its caller answers, if that is in the same context.
    private mutating func adopt(_ context: UInt32) {
        guard carriers?.trace == nil, let only = callerServing?.sole, only.context == context else { return }
        adopted = only.trace
    }

    /// - Returns: whether the call is refused.
    private mutating func lose(_ broken: [TraceID]) -> Bool {
        leak = .suspected
        lost = broken
        traces.breaks(broken, now: now)
        guard settings?.rejectsLeaks == true else { return false }
        outcome = .refuse(.contextLost)
        return true
    }

    /// The environment in whose context the trace was seen, -1 where that is gone; `nil` where it says nothing, or where
    /// `named` has said it already.
    private mutating func traced(
        _ seen: TraceMemory.Context?, _ origin: CompiledEnvironment, _ table: CompiledTable,
        _ named: UnsafeRawBufferPointer?
    ) -> Int? {
        guard case .one(let key) = seen else { return nil }
        let known = table.environment(keyed: key)
        guard let named else { return known ?? -1 }
        if table.environment(ofContext: named, root: origin.root) != known { carriersDisagree = true }
        return nil
    }

    /// Whether whoever asks from outside names no other environment than the trace: by the overlay's own URL, its host name,
    /// or a cookie. A client that uses one trace id for everything means what it asks for, and its id leads nowhere from
    /// then on.
    private mutating func agrees(
        _ known: Int, _ origin: CompiledEnvironment, _ table: CompiledTable, _ hostContext: UnsafeRawBufferPointer?,
        _ cookie: UnsafeRawBufferPointer?
    ) -> Bool {
        var asked: Int?
        if let hostContext {
            asked = table.environment(ofContext: hostContext, root: origin.root)
        } else if !origin.context.isEmpty {
            asked = environment
        } else if let cookie, isDNSLabel(cookie) {
            asked = table.environment(ofContext: cookie, root: origin.root)
        }
        guard let asked, asked != known else { return true }
        carriersDisagree = true
        return false
    }

    private mutating func noteDisagreement(
        _ found: Int, _ origin: CompiledEnvironment, _ table: CompiledTable, _ hostContext: UnsafeRawBufferPointer?
    ) {
        if !origin.context.isEmpty, found != environment { carriersDisagree = true }
        if let hostContext, table.environment(ofContext: hostContext, root: origin.root) != found {
            carriersDisagree = true
        }
    }

    private mutating func resolve(
        _ table: CompiledTable, _ service: UnsafeRawBufferPointer, _ target: Int, _ portName: String?, _ isEdge: Bool
    ) {
        guard case .found(let copy) = table.resolve(service, in: target) else {
            outcome = .refuse(.unknownService)
            return
        }
        self.service = copy.number
        let home = table.environments[copy.environment]
        // What is ready answers while the rest still starts: services call each other when they start.
        guard copy.ready, home.state != .failed else {
            mayWait = home.mayBecomeReady(copy)
            outcome = .refuse(mayWait ? .starting : .noEndpoint)
            return
        }
        guard let endpoint = copy.endpoint(portName: portName, wantsHTTP: true) else {
            outcome = .refuse(.noEndpoint)
            return
        }
        outcome = .forward(copy, endpoint)
    }
}
