import EnvironmentGraph
import HTTPWire

extension Exchange {
    /// The request is decided: which trace it belongs to, and where it goes.
    func identify(_ decision: RouteDecision) {
        let random = (worker.nextRandom(), worker.nextRandom(), worker.nextRandom())
        // A request that waited for its service is decided again, and stays what it was.
        let trace = decision.carriers?.trace ?? decision.adopted ?? self.trace ?? TraceID(madeFrom: random)
        self.trace = trace
        span.trace = trace
        span.span = random.2 | 1
        span.parent = decision.carriers?.traced?.parent ?? 0
        span.listener = Int32(truncatingIfNeeded: decision.listener)
        span.environment = Int32(truncatingIfNeeded: decision.environment)
        span.service = Int32(truncatingIfNeeded: decision.service)
        span.context = Int32(truncatingIfNeeded: decision.context)
        span.carrier = decision.carrier
        if decision.carriers?.traced?.isSampled ?? true { span.flags.insert(.sampled) }
        if decision.carriersDisagree { span.flags.insert(.disagrees) }
        if decision.ignoredContext { span.flags.insert(.ignoredContext) }
        if let leak = decision.leak {
            span.flags.insert(leak == .restored ? .restored : .suspected)
            if case .refuse(.contextLost) = decision.outcome { span.flags.insert(.refused) }
        }
        if decision.carriers?.trace == nil { attribute(decision) }
    }

    /// A call that names no trace is shown in that of the only request that it may belong to. A suspected leak goes on under a
    /// trace of its own all the same: in the other one's name it would teach carrier 4 that this has two contexts.
    private func attribute(_ decision: RouteDecision) {
        guard let known = decision.adopted ?? (decision.lost.count == 1 ? decision.lost[0] : nil) else { return }
        let hop = decision.callersHop(of: known)
        span.trace = hop?.trace ?? known
        span.parent = hop?.span ?? 0
        span.flags.insert(.attributed)
    }

    /// The answer's head is there.
    func noteHead() {
        span.status = UInt16(truncatingIfNeeded: responseParser.status)
        span.firstByte = SpanClock.now() &- span.start
        headCameNow = true
    }

    /// The request has ended, whichever way. Where no address was found it is nobody's, and not kept.
    func record() {
        stopExplaining()
        guard span.start != 0 else { return }
        // Most answers come whole: then the clock has just been read.
        span.duration = headCameNow && span.firstByte > 0 ? span.firstByte : SpanClock.now() &- span.start
        if key.isProvider { span.flags.insert(.reachedProvider) }
        worker.measure(key, span, by: table)
        if span.environment >= 0 { worker.spans?.record(span, by: table) }
        span.start = 0
    }
}
