import EnvironmentGraph
import HTTPWire
import Synchronization

/// The hops so far of requests that came with `x-msx-explain: 1`, for `x-msx-route` of their answers.
///
/// Shared by the event loops, as the hops of one trace come over different connections. While nobody asks, it costs a
/// request one look at a number.
final class ExplainBook: Sendable {
    static let maxTraces = 256
    static let maxHops = 64
    static let maxBytes = 4096

    private struct Entry {
        var holders = 1
        var hops: [String] = []
        var omitted = 0
    }

    private let entries = Mutex<[TraceID: Entry]>([:])
    private let count = Atomic<Int>(0)

    var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }

    /// - Returns: false where too many are open.
    func open(_ trace: TraceID) -> Bool {
        entries.withLock { entries in
            if entries[trace] != nil {
                entries[trace]?.holders += 1
                return true
            }
            guard entries.count < Self.maxTraces else { return false }
            entries[trace] = Entry()
            count.store(entries.count, ordering: .relaxed)
            return true
        }
    }

    /// - Parameter hop: made only where it is wanted.
    func note(_ trace: TraceID, _ hop: () -> String) {
        entries.withLock { entries in
            guard let entry = entries[trace] else { return }
            if entry.hops.count < Self.maxHops {
                entries[trace]?.hops.append(hop())
            } else {
                entries[trace]?.omitted += 1
            }
        }
    }

    /// The hops so far by comma, within ``maxBytes``; what is left out is counted.
    func route(of trace: TraceID) -> String {
        entries.withLock { entries in
            guard let entry = entries[trace] else { return "" }
            var text = ""
            var omitted = entry.omitted
            for hop in entry.hops {
                guard text.utf8.count + hop.utf8.count + 24 <= Self.maxBytes else {
                    omitted += 1
                    continue
                }
                text += text.isEmpty ? hop : ", " + hop
            }
            return omitted > 0 ? text + ", more=\(omitted)" : text
        }
    }

    func close(_ trace: TraceID) {
        entries.withLock { entries in
            guard let entry = entries[trace] else { return }
            entries[trace] = entry.holders > 1 ? entry : nil
            entries[trace]?.holders -= 1
            count.store(entries.count, ordering: .relaxed)
        }
    }
}

extension Exchange {
    /// Notes the hop where its trace is being explained, and begins to explain where somebody outside asks for it.
    func explain(_ decision: RouteDecision, asks: Bool) {
        if asks, listener?.isEdge ?? true, explained == nil, let trace {
            if worker.explains.open(trace) { explained = trace } else { explainsNot = true }
        }
        guard !worker.explains.isEmpty else { return }
        // Each look at whether it may go on is not another hop.
        if wakeDeadline != nil, case .refuse = decision.outcome { return }
        let isLost = decision.carriers?.trace == nil && decision.adopted == nil
        worker.explains.note(span.trace) { hop(decision, isAttributed: true) }
        // Nobody says to which of its caller's requests it belongs: it is shown with each, and marked.
        guard isLost else { return }
        let candidates = decision.lost.isEmpty ? decision.callersTraces : decision.lost
        for trace in candidates where trace != span.trace {
            worker.explains.note(trace) { hop(decision, isAttributed: false) }
        }
    }

    /// `orders>payments@feat-refunds#r1;by=header`.
    private func hop(_ decision: RouteDecision, isAttributed: Bool) -> String {
        let copy = decision.service >= 0 ? table.services[decision.service] : nil
        var text = "\(listener?.caller ?? "edge")>\(listener?.service ?? copy?.name ?? "")"
        if let copy {
            let home = table.environments[copy.environment]
            text += "@\(home.name)#r\(home.revision)"
        }
        text += ";by=\(decision.carrier.name)"
        if case .refuse(let fault) = decision.outcome { text += ";error=\(fault.code)" }
        if let leak = decision.leak { text += leak == .restored ? ";leak=restored" : ";leak=suspected" }
        return isAttributed ? text : text + ";unattributed"
    }

    /// `x-msx-route` with its end of line; empty where nobody asked.
    var routeLine: [UInt8] {
        if explainsNot { return Array("x-msx-route: none;error=too_many_explained\r\n".utf8) }
        guard let explained else { return [] }
        return Array("x-msx-route: \(worker.explains.route(of: explained))\r\n".utf8)
    }

    func stopExplaining() {
        explainsNot = false
        guard let trace = explained else { return }
        worker.explains.close(trace)
        explained = nil
    }
}
