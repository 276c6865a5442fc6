import EnvironmentGraph
import HTTPWire
import Synchronization

/// What one environment's copies of a service are answering just now, on every event loop: what their own calls are held
/// against. A copy that answers a request of an overlay and calls on without saying so has dropped its context, and the
/// rest of the request would be answered by the wrong code.
final class Serving: Sendable {
    /// Where a request is shown: its span, and the trace that this is part of, which need not be the one that it goes on
    /// with.
    struct Hop: Equatable {
        var trace: TraceID
        var span: UInt64
    }

    private struct Flight {
        /// The stamp of the context's environment; 0 for none.
        var context: UInt32
        var trace: TraceID
        var hop: Hop?
    }

    private struct State {
        var flights: [Flight?] = []
        var free: [Int] = []
        /// How many flights each context has; few.
        var contexts: [(context: UInt32, count: Int)] = []
    }

    enum Verdict: Equatable {
        /// What the call says fits, or the service answers nobody: it calls on its own account.
        case fits
        /// The call is in another context than a request that it may belong to. With the traces that may be broken, at
        /// most ``tracesNamed``.
        case suspected([TraceID])
        /// The call says nothing, and the service answers one request: it can only belong to that.
        case sole(context: UInt32, TraceID)
    }

    static let tracesNamed = 64

    private let state = Mutex(State())

    /// - Returns: what ``leave(_:)`` takes.
    func enter(context: UInt32, trace: TraceID, hop: Hop? = nil) -> Int {
        state.withLock { state in
            if let index = state.contexts.firstIndex(where: { $0.context == context }) {
                state.contexts[index].count += 1
            } else {
                state.contexts.append((context, 1))
            }
            let flight = Flight(context: context, trace: trace, hop: hop)
            guard let place = state.free.popLast() else {
                state.flights.append(flight)
                return state.flights.count - 1
            }
            state.flights[place] = flight
            return place
        }
    }

    func leave(_ place: Int) {
        state.withLock { state in
            guard let flight = state.flights[place] else { return }
            state.flights[place] = nil
            state.free.append(place)
            guard let index = state.contexts.firstIndex(where: { $0.context == flight.context }) else { return }
            state.contexts[index].count -= 1
            if state.contexts[index].count == 0 { state.contexts.remove(at: index) }
        }
    }

    /// The only request that is being answered.
    var sole: (context: UInt32, trace: TraceID)? {
        state.withLock { state in
            guard state.contexts.count == 1, state.contexts[0].count == 1,
                let flight = state.flights.lazy.compactMap({ $0 }).first
            else { return nil }
            return (flight.context, flight.trace)
        }
    }

    /// Where the request of that trace is shown.
    func hop(of trace: TraceID) -> Hop? {
        state.withLock { state in state.flights.lazy.compactMap { $0 }.first { $0.trace == trace }?.hop }
    }

    /// Of the requests that are being answered, at most ``tracesNamed``.
    var traces: [TraceID] {
        state.withLock { state in state.flights.lazy.compactMap { $0?.trace }.prefix(Self.tracesNamed).map { $0 } }
    }

    /// Of a call by the service, which is about to be answered in `context`.
    ///
    /// - Parameter isNamed: whether the call itself says which context it is in, also that it is in none.
    func judge(context: UInt32, isNamed: Bool) -> Verdict {
        state.withLock { state in
            if isNamed {
                if state.contexts.isEmpty || state.contexts.contains(where: { $0.context == context }) { return .fits }
            } else {
                guard state.contexts.contains(where: { $0.context != context }) else { return .fits }
                if state.contexts.count == 1, let only = state.contexts.first, only.count == 1,
                    let flight = state.flights.lazy.compactMap({ $0 }).first
                {
                    return .sole(context: only.context, flight.trace)
                }
            }
            let broken = state.flights.lazy.compactMap { $0 }.filter { $0.context != context }
            return .suspected(broken.prefix(Self.tracesNamed).map(\.trace))
        }
    }
}

/// Keeps what is being answered from table to table, by environment and service. Holds only that of the last table.
struct ServingBook {
    private struct Key: Hashable {
        var environment: EnvironmentID
        var service: String
    }

    private var servings: [Key: Serving] = [:]

    init() {}

    init(after last: CompiledTable?) {
        guard let last else { return }
        for listener in last.numberedListeners {
            guard let listener, let serving = listener.callerServing else { continue }
            servings[Key(environment: listener.identity.environment, service: listener.caller)] = serving
        }
        for copy in last.services.everything {
            if let copy { know(copy, of: last.environments[copy.environment]) }
        }
    }

    mutating func know(_ copy: CompiledService, of environment: CompiledEnvironment) {
        servings[Key(environment: environment.id, service: copy.name)] = copy.serving
    }

    mutating func serving(of environment: EnvironmentID, service: String) -> Serving {
        let key = Key(environment: environment, service: service)
        let serving = servings[key] ?? Serving()
        servings[key] = serving
        return serving
    }
}
